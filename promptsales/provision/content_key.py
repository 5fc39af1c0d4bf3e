"""Derive the key with which the pipeline hashes prompts and answers from the key of e-mail and phone."""

import hmac

import psycopg

from promptsales.hashing.hashes import Key
from promptsales.hashing.keys import CONTENT_KEY, derive_content_key, read_keys
from promptsales.provision.changes import ProvisionChange
from promptsales.settings import Settings
from promptsales.specs.feed import contracts

_SHARED = (
    "prompts and answers are hashed with the key of e-mail and phone, as by earlier releases; run `promptsales pii "
    "rotate`, which gives them a key of their own"
)


def provision_content_key(
    settings: Settings, warehouse: psycopg.Connection, dry_run: bool = False
) -> list[ProvisionChange]:
    """Create the key of content if there is none, and report one that is the key of e-mail and phone.

    Earlier releases had one key for all. If content was loaded with it, it stays the key of content until the next
    rotation, so that the hashes in the warehouse stay valid.

    Raises:
        ConfigError: when a key is weak or other users may read its file.
    """
    folder = settings.state / "secrets"
    keys, content_keys = read_keys(folder), read_keys(folder, CONTENT_KEY)
    if not content_keys and keys:
        key = _choose(keys, warehouse)
        content_keys = {key.kid: key.key}
        if not dry_run:
            settings.secrets.write(f"{CONTENT_KEY}_{key.kid}", key.key.hex())
    newest = max(content_keys, default=0)
    is_shared = newest in keys and hmac.compare_digest(content_keys[newest], keys[newest])
    return [ProvisionChange(system="hashing key", what=_SHARED, is_warning=True)] if is_shared else []


def _choose(keys: dict[int, bytes], warehouse: psycopg.Connection) -> Key:
    """Return the key that content was loaded with, else the one derived from the newest key."""
    for kid, check in _read_known(warehouse):
        if kid in keys:
            shared = Key(kid, keys[kid])
            return shared if shared.check == (kid, check) else Key(kid, derive_content_key(keys[kid]))
    return Key(max(keys), derive_content_key(keys[max(keys)]))


def _read_known(warehouse: psycopg.Connection) -> list[tuple[int, bytes]]:
    """Return numbers and check values of the keys that content was loaded with, the newest first."""
    if warehouse.execute("select to_regclass('ops.feed')").fetchone() == (None,):
        return []
    feeds = [feed.table for feed in contracts().values() if feed.key_file == CONTENT_KEY]
    query = "select pii_kid, pii_check from ops.feed where feed = any(%s) and pii_kid is not null order by 1 desc"
    return [(kid, bytes(check)) for kid, check in warehouse.execute(query, [feeds])]
