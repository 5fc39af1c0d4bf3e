"""Report the effects of a change of contracts and suites: stricter, looser, breaking, or a note.

The files are compared as parsed YAML, because files of an older revision may not fit the current models.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

Effect = Literal["breaking", "looser", "stricter", "note"]
Files = Mapping[str, Mapping[str, Any]]

# from the least to the most personal class
_PII = ("none", "pseudonymous", "quasi", "free_text", "direct")
_ON_FAIL = ("warn", "quarantine", "block")
# the effect of an increase of these kwargs of an expectation
_GROWTH: dict[str, Effect] = {"min_value": "stricter", "max_value": "looser", "mostly": "stricter"}


class ContractChange(NamedTuple):
    """An effect of a change on a feed."""

    feed: str
    effect: Effect
    what: str


def find_changes(contracts: tuple[Files, Files], suites: tuple[Files, Files]) -> list[ContractChange]:
    """Return all effects, ordered by feed.

    Args:
        contracts: parsed ``contract.yml`` by feed, before and after.
        suites: parsed ``expectations.yml`` by feed, before and after.
    """
    changes = []
    for feed in sorted(contracts[0].keys() | contracts[1].keys()):
        before, after = contracts[0].get(feed), contracts[1].get(feed)
        if before is None:
            changes.append(ContractChange(feed, "note", "new feed"))
        elif after is None:
            changes.append(ContractChange(feed, "breaking", "feed removed: core is no longer loaded"))
        else:
            rules = (_rules(suites[0].get(feed)), _rules(suites[1].get(feed)))
            derived = _rules_of_contract(after)
            old = {name: rule for name, rule in rules[0].items() if name in rules[1] or name not in derived}
            effects = (*_compare_contracts(before, after), *_compare_suites(old, rules[1]))
            changes += [ContractChange(feed, effect, what) for effect, what in effects]
    return changes


def _compare_contracts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[Effect, str]]:
    for key in ("table", "source", "path", "key", "cursor"):
        if before.get(key) != after.get(key):
            yield "breaking", f"{key}: {before.get(key)} is now {after.get(key)}"
    if before.get("hash_at") != after.get("hash_at"):
        leaves = after.get("hash_at") != "source"
        yield "looser" if leaves else "stricter", f"hash_at: {before.get('hash_at')} is now {after.get('hash_at')}"
    yield from _compare_histories(set(before.get("history") or ()), set(after.get("history") or ()))
    yield from _compare_marts_and_order(before, after)
    yield from _compare_look_back(before.get("look_back_seconds"), after.get("look_back_seconds"))
    if before.get("expected_every") != after.get("expected_every"):
        yield "note", f"expected_every: {before.get('expected_every')} is now {after.get('expected_every')}"
    old, new = (_by_name(side) for side in (before, after))
    for name in sorted(old.keys() - new.keys()):
        yield "breaking", f"column {name} removed"
    for name in sorted(new.keys() - old.keys()):
        yield "looser", f"column {name} added: {new[name].get('pii')}, {new[name].get('transform', 'as_is')}"
    for name in sorted(old.keys() & new.keys()):
        yield from ((effect, f"column {name}: {what}") for effect, what in _compare_columns(old[name], new[name]))


def _by_name(contract: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {column["name"]: column for column in contract.get("columns") or ()}


def _compare_histories(before: set[str], after: set[str]) -> Iterator[tuple[Effect, str]]:
    if before - after:
        yield "breaking", f"history of {', '.join(sorted(before - after))} is no longer kept"
    if after - before:
        yield "note", f"history of {', '.join(sorted(after - before))} is kept from now on"


def _compare_marts_and_order(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[Effect, str]]:
    """Compare the days that marts rebuild, and the keys that change neither what is read nor what is stored."""
    old, new = before.get("touched"), after.get("touched")
    if old != new:
        # marts rebuild only touched days, so other days would become stale
        yield "breaking" if old else "note", f"touched: {old} is now {new}"
    for key in ("after", "unread"):
        old_names, new_names = (set(side.get(key) or ()) for side in (before, after))
        if removed := old_names - new_names:
            yield "note", f"{key}: {', '.join(sorted(removed))} removed"
        if added := new_names - old_names:
            yield "note", f"{key}: {', '.join(sorted(added))} added"


def _compare_look_back(old: Any, new: Any) -> Iterator[tuple[Effect, str]]:
    if old == new:
        return
    is_comparable = isinstance(old, int | float) and isinstance(new, int | float)
    effect: Effect = ("stricter" if new > old else "looser") if is_comparable else "note"
    yield effect, f"look_back_seconds: {old} is now {new}"


def _compare_columns(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Effect, str]]:
    for key in ("source", "type", "transform"):
        if old.get(key) != new.get(key):
            yield "breaking", f"{key}: {old.get(key)} is now {new.get(key)}"
    if old.get("pii") != new.get("pii"):
        effect = _compare_ranks(_PII, old.get("pii"), new.get("pii"))
        yield effect, f"pii: {old.get('pii')} is now {new.get('pii')}"
    if old.get("required", False) != new.get("required", False):
        yield ("stricter", "is required now") if new.get("required") else ("looser", "may be null now")
    elif old.get("missing") != new.get("missing"):
        yield "note", f"missing: {old.get('missing')} is now {new.get('missing')}"


def _compare_ranks(order: tuple[str, ...], old: Any, new: Any) -> Effect:
    if old not in order or new not in order:
        return "note"
    return "stricter" if order.index(new) > order.index(old) else "looser"


def _rules(suite: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    return {rule["meta"]["rule"]: rule for rule in (suite or {}).get("expectations") or ()}


def _rules_of_contract(contract: Mapping[str, Any]) -> set[str]:
    """Return the names of the rules that are derived from a contract's key and required columns."""
    required = [column for column in contract.get("columns") or () if column.get("required")]
    names = {column.get("missing") or f"{column['name']}_missing" for column in required}
    return names | {f"{contract.get('key')}_{what}" for what in ("missing", "twice")}


def _compare_suites(
    old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Effect, str]]:
    for name in sorted(new.keys() - old.keys()):
        yield "stricter", f"rule {name} added: {new[name]['meta']['on_fail']}"
    for name in sorted(old.keys() - new.keys()):
        yield "looser", f"rule {name} removed"
    for name in sorted(old.keys() & new.keys()):
        yield from ((effect, f"rule {name}: {what}") for effect, what in _compare_rules(old[name], new[name]))


def _compare_rules(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Effect, str]]:
    before, after = old["meta"]["on_fail"], new["meta"]["on_fail"]
    if before != after:
        yield _compare_ranks(_ON_FAIL, before, after), f"{before} is now {after}"
    if old["type"] != new["type"]:
        yield "note", f"{old['type']} is now {new['type']}: check whether it is stricter"
        return
    left, right = old.get("kwargs") or {}, new.get("kwargs") or {}
    for key in sorted(left.keys() | right.keys()):
        if left.get(key) != right.get(key):
            yield _compare_kwargs(key, left.get(key), right.get(key)), f"{key}: {left.get(key)} is now {right.get(key)}"


def _compare_kwargs(key: str, old: Any, new: Any) -> Effect:
    if key == "value_set" and isinstance(old, list) and isinstance(new, list):
        if set(old) < set(new):
            return "looser"
        return "stricter" if set(new) < set(old) else "note"
    if key in _GROWTH and isinstance(old, int | float) and isinstance(new, int | float):
        grown = _GROWTH[key]
        return grown if new > old else "looser" if grown == "stricter" else "stricter"
    return "note"
