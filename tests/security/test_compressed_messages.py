"""MongoDB accepts no message compressed with zlib, which its version unpacks wrongly (CVE-2025-14847)."""

import socket
import struct
import zlib

import bson
import pytest

from promptsales.settings import HOST, Settings

_OP_COMPRESSED, _OP_MSG, _ZLIB = 2012, 2013, 2
_HELLO = struct.pack("<IB", 0, 0) + bson.encode({"hello": 1, "$db": "admin"})


def receive(mongo: socket.socket) -> bytes:
    try:
        return mongo.recv(4096)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("claimed_more", [0, 2000], ids=["honest", "attack"])
def test_a_message_in_zlib_gets_no_answer(stack: Settings, claimed_more: int) -> None:
    packed = zlib.compress(_HELLO)
    body = struct.pack("<iiB", _OP_MSG, len(_HELLO) + claimed_more, _ZLIB) + packed
    message = struct.pack("<iiii", 16 + len(body), 1, 0, _OP_COMPRESSED) + body
    with socket.create_connection((HOST, stack.port("mongo")), timeout=5) as mongo:
        mongo.sendall(message)
        assert receive(mongo) == b""
