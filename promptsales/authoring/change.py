"""What a change of contracts and suites does, feed by feed: stricter, looser, breaking, or worth a note.

Both sides are compared as the files say, not as today's models read them: an older file need not fit them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

Effect = Literal["breaking", "looser", "stricter", "note"]
Files = Mapping[str, Mapping[str, Any]]

# from what may tell least about a person to what may tell most
_PII = ("none", "pseudonymous", "quasi", "free_text", "direct")
_ON_FAIL = ("warn", "quarantine", "block")
# kwargs of an expectation and what it means that they grow
_GROWTH: dict[str, Effect] = {"min_value": "stricter", "max_value": "looser", "mostly": "stricter"}


class Change(NamedTuple):
    """One thing that a change does to a feed."""

    feed: str
    effect: Effect
    what: str


def changes(contracts: tuple[Files, Files], suites: tuple[Files, Files]) -> list[Change]:
    """Every effect, by feed.

    Args:
        contracts: parsed ``contract.yml`` by feed, before and after.
        suites: parsed ``expectations.yml`` by feed, before and after.
    """
    found = []
    for feed in sorted(contracts[0].keys() | contracts[1].keys()):
        before, after = contracts[0].get(feed), contracts[1].get(feed)
        if before is None:
            found.append(Change(feed, "note", "new feed"))
        elif after is None:
            found.append(Change(feed, "breaking", "feed removed: core is not loaded any more"))
        else:
            rules = (_rules(suites[0].get(feed)), _rules(suites[1].get(feed)))
            is_kept = _implied(after)
            old = {name: rule for name, rule in rules[0].items() if name in rules[1] or name not in is_kept}
            found += [Change(feed, *effect) for effect in (*_contract(before, after), *_suite(old, rules[1]))]
    return found


def _contract(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[Effect, str]]:
    for key in ("table", "source", "path", "key", "cursor"):
        if before.get(key) != after.get(key):
            yield "breaking", f"{key}: {before.get(key)} is now {after.get(key)}"
    if before.get("hash_at") != after.get("hash_at"):
        leaves = after.get("hash_at") != "source"
        yield "looser" if leaves else "stricter", f"hash_at: {before.get('hash_at')} is now {after.get('hash_at')}"
    yield from _history(set(before.get("history") or ()), set(after.get("history") or ()))
    yield from _marts_and_order(before, after)
    yield from _look_back(before.get("look_back_seconds"), after.get("look_back_seconds"))
    if before.get("expected_every") != after.get("expected_every"):
        yield "note", f"expected_every: {before.get('expected_every')} is now {after.get('expected_every')}"
    old, new = (_by_name(side) for side in (before, after))
    for name in sorted(old.keys() - new.keys()):
        yield "breaking", f"column {name} removed"
    for name in sorted(new.keys() - old.keys()):
        yield "looser", f"column {name} added: {new[name].get('pii')}, {new[name].get('transform', 'as_is')}"
    for name in sorted(old.keys() & new.keys()):
        yield from ((effect, f"column {name}: {what}") for effect, what in _column(old[name], new[name]))


def _by_name(contract: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {column["name"]: column for column in contract.get("columns") or ()}


def _history(before: set[str], after: set[str]) -> Iterator[tuple[Effect, str]]:
    if before - after:
        yield "breaking", f"history of {', '.join(sorted(before - after))} is not kept any more"
    if after - before:
        yield "note", f"history of {', '.join(sorted(after - before))} is kept from now on"


def _marts_and_order(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[Effect, str]]:
    """What a row makes the marts rebuild, and the keys that decide neither what is read nor what is kept."""
    old, new = before.get("touched"), after.get("touched")
    if old != new:
        # marts rebuild the days that rows touch: without them, or with others, theirs go stale
        yield "breaking" if old else "note", f"touched: {old} is now {new}"
    for key in ("after", "unread"):
        was, is_now = (set(side.get(key) or ()) for side in (before, after))
        if was - is_now:
            yield "note", f"{key}: {', '.join(sorted(was - is_now))} removed"
        if is_now - was:
            yield "note", f"{key}: {', '.join(sorted(is_now - was))} added"


def _look_back(old: Any, new: Any) -> Iterator[tuple[Effect, str]]:
    if old == new:
        return
    is_comparable = isinstance(old, int | float) and isinstance(new, int | float)
    effect: Effect = ("stricter" if new > old else "looser") if is_comparable else "note"
    yield effect, f"look_back_seconds: {old} is now {new}"


def _column(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Effect, str]]:
    for key in ("source", "type", "transform"):
        if old.get(key) != new.get(key):
            yield "breaking", f"{key}: {old.get(key)} is now {new.get(key)}"
    if old.get("pii") != new.get("pii"):
        effect = _ordered(_PII, old.get("pii"), new.get("pii"))
        yield effect, f"pii: {old.get('pii')} is now {new.get('pii')}"
    if old.get("required", False) != new.get("required", False):
        yield ("stricter", "is required now") if new.get("required") else ("looser", "may be null now")
    elif old.get("missing") != new.get("missing"):
        yield "note", f"missing: {old.get('missing')} is now {new.get('missing')}"


def _ordered(order: tuple[str, ...], old: Any, new: Any) -> Effect:
    if old not in order or new not in order:
        return "note"
    return "stricter" if order.index(new) > order.index(old) else "looser"


def _rules(suite: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    return {rule["meta"]["rule"]: rule for rule in (suite or {}).get("expectations") or ()}


def _implied(contract: Mapping[str, Any]) -> set[str]:
    """Return the names of the rules that follow from a contract's key and required columns."""
    required = [column for column in contract.get("columns") or () if column.get("required")]
    names = {column.get("missing") or f"{column['name']}_missing" for column in required}
    return names | {f"{contract.get('key')}_{what}" for what in ("missing", "twice")}


def _suite(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Effect, str]]:
    for name in sorted(new.keys() - old.keys()):
        yield "stricter", f"rule {name} added: {new[name]['meta']['on_fail']}"
    for name in sorted(old.keys() - new.keys()):
        yield "looser", f"rule {name} removed"
    for name in sorted(old.keys() & new.keys()):
        yield from ((effect, f"rule {name}: {what}") for effect, what in _rule(old[name], new[name]))


def _rule(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Effect, str]]:
    before, after = old["meta"]["on_fail"], new["meta"]["on_fail"]
    if before != after:
        yield _ordered(_ON_FAIL, before, after), f"{before} is now {after}"
    if old["type"] != new["type"]:
        yield "note", f"{old['type']} is now {new['type']}: judge it yourself"
        return
    left, right = old.get("kwargs") or {}, new.get("kwargs") or {}
    for key in sorted(left.keys() | right.keys()):
        if left.get(key) != right.get(key):
            yield _kwarg(key, left.get(key), right.get(key)), f"{key}: {left.get(key)} is now {right.get(key)}"


def _kwarg(key: str, old: Any, new: Any) -> Effect:
    if key == "value_set" and isinstance(old, list) and isinstance(new, list):
        if set(old) < set(new):
            return "looser"
        return "stricter" if set(new) < set(old) else "note"
    if key in _GROWTH and isinstance(old, int | float) and isinstance(new, int | float):
        grown = _GROWTH[key]
        return grown if new > old else "looser" if grown == "stricter" else "stricter"
    return "note"
