"""A check for keys of Redis that belong to no key space, or live longer than theirs allows."""

from collections import Counter
from itertools import islice

import redis

from promptsales.failures.cache import redis_errors
from promptsales.specs.key_space import key_spaces

# keys that a check reads; SCAN returns keys in random order, so of more keys this is a sample
SAMPLE = 10_000


def find_unexpected_keys(client: "redis.Redis") -> list[str]:
    """Return the keys that violate the key spaces, as counts per fault, because a key may name a person.

    Args:
        client: an open connection that decodes responses to text.

    Raises:
        TransientError: when Redis cannot be reached.
        TerminalError: when Redis rejects a command.
    """
    with redis_errors("check the key spaces", client):
        keys = list(islice(client.scan_iter(count=1000), SAMPLE))
        pipeline = client.pipeline(transaction=False)
        for key in keys:
            pipeline.type(key)
            pipeline.ttl(key)
        answers = pipeline.execute()
    faults = (_fault(key, kind, ttl) for key, kind, ttl in zip(keys, answers[::2], answers[1::2], strict=True))
    return [f"{count} keys {fault}" for fault, count in sorted(Counter(filter(None, faults)).items())]


def _fault(key: str, kind: str, ttl: int) -> str | None:
    """Return what is wrong with a key, without the key's variable parts; None for a valid key."""
    name, space = next(((name, space) for name, space in key_spaces().items() if space.matches(key)), (None, None))
    if kind == "none":  # expired since the scan
        return None
    if space is None:
        return "belong to no key space of schemas/redis/key_spaces.yml"
    if kind != space.type:
        return f"of {name} have type {kind} instead of {space.type}"
    if not 0 <= ttl <= space.time_to_live_seconds:
        return f"of {name} live longer than {space.time_to_live_seconds} s"
    return None
