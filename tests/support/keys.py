"""The hashing key of the tests' stack, reset to the first one after a test that changed it."""

import hashlib
import hmac

import psycopg
from psycopg.conninfo import make_conninfo

from promptsales.hashing.keys import derive_content_key
from promptsales.provision.pads import load_pads
from promptsales.settings import Settings

DATABASES = ("promptsales", "promptcrm")


def first_again(stack: Settings) -> None:
    """Make key 1 the only key everywhere."""
    for database in DATABASES:
        with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname=database), autocommit=True) as admin:
            if admin.execute("select array_agg(kid), bool_and(is_active) from etl.pii_pad").fetchone() == ([1], True):
                continue
            with admin.transaction():
                admin.execute("delete from etl.pii_pad")
                load_pads(admin, database, {1: bytes.fromhex(stack.secrets.password("pii_key_1"))})
            admin.execute("vacuum (full) etl.pii_pad")
    for path in (stack.state / "secrets").glob("pii_*key_*"):
        if path.name != "pii_key_1":
            path.unlink()
    content_key = derive_content_key(bytes.fromhex(stack.secrets.password("pii_key_1")))
    stack.secrets.write("pii_content_key_1", content_key.hex())


def active(stack: Settings) -> list[int]:
    """Return the active key of each database."""
    kids = []
    for database in DATABASES:
        with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname=database)) as admin:
            kids += [kid for (kid,) in admin.execute("select kid from etl.pii_pad where is_active")]
    return kids


def email_hmac(stack: Settings, kid: int, address: str) -> bytes:
    """Return the hash of a normalised address under a key, computed with Python's hmac."""
    key = bytes.fromhex(stack.secrets.password(f"pii_key_{kid}"))
    return hmac.new(key, b"email\0" + address.encode(), hashlib.sha256).digest()
