"""Bytes become a typed row, a quarantined row or a dead letter."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
import yaml

from promptsales.settings import ROOT
from promptsales.specs.stream import stream_contracts
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import UNCHANGED, Decoded, Decoder, RowChange
from promptsales.stream.messages import Message
from promptsales.stream.truncations import Truncation
from tests.support.events import message
from tests.support.events import metric as metric_of

CAMPAIGN = "00000000-0000-0000-0000-000000000001"
METRICS = Decoder(stream_contracts()["campaign_metrics"])
GROUPS = Decoder(stream_contracts()["ad_groups"])
# deeper than Python's recursion limit
DEEP = '{"age_min":' + "[" * 1100 + "]" * 1100 + "}"


def metric(**changes: Any) -> dict[str, Any]:
    return metric_of(7, CAMPAIGN, **changes)


def changed(decoded: Decoded) -> RowChange:
    assert isinstance(decoded, RowChange)
    return decoded


def test_a_row_is_typed() -> None:
    change = changed(METRICS.decode(message("c", metric(), lsn=5)))
    names = change.row.__struct_fields__
    assert {name: getattr(change.row, name) for name in names} == {
        "metric_id": 7,
        "campaign_id": UUID(CAMPAIGN),
        "metric_at": datetime(2026, 5, 28, 20, 0, 30, 500_000, UTC),
        "impressions": 100,
        "clicks": 10,
        "spend": Decimal("1.2500"),
        "conversions": 1,
        "updated_at": datetime(2026, 5, 28, 20, 26, 39, 123_456, UTC),
        "is_deleted": False,
        "src_epoch": 1,
        "src_commit": 5,
        "src_lsn": 5,
        "src_is_snapshot": False,
        "committed_at": datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC),
    }
    assert (change.table, change.key, change.version, change.broken) == ("campaign_metrics", 7, (1, 5, True, 5), [])


def test_a_truncate_has_no_key_and_no_row() -> None:
    event = message("t", None, lsn=5, epoch=3)._replace(key=None)
    committed_at = datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)
    assert METRICS.decode(event) == Truncation("campaign_metrics", 3, 5, 5, committed_at)
    assert isinstance(METRICS.decode(event._replace(epoch=None)), DeadLetter)


@pytest.mark.parametrize(
    ("op", "commit", "rank", "is_first"),
    [("u", 3, (1, 3, True, 5), False), ("u", 7, (1, 7, True, 5), False), ("u", None, (1, 5, True, 5), True),
     ("r", None, (1, 5, False, 5), False)],
)  # fmt: skip
def test_versions_are_in_the_order_of_commits(
    op: str, commit: int | None, rank: tuple[int, int, bool, int], is_first: bool
) -> None:
    change = changed(METRICS.decode(message(op, metric(), lsn=5, commit=commit)))
    assert (change.version, change.row.src_commit, change.is_first) == (rank, rank[1], is_first)


def test_a_change_outranks_the_snapshot_at_the_same_position() -> None:
    read = changed(METRICS.decode(message("r", metric(), lsn=5)))
    assert read.version < changed(METRICS.decode(message("u", metric(), lsn=5))).version


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("infinity", "infinity"),
        ("-infinity", "-infinity"),
        ("-0043-03-15T00:00:00Z", "0044-03-15T00:00:00Z BC"),
        ("0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z BC"),
        ("+12026-01-01T00:00:00Z", "12026-01-01T00:00:00Z"),
        ("0206-05-28T00:00:00Z", datetime(206, 5, 28, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_of_no_business_is_quarantined(text: str, kept: Any) -> None:
    change = changed(METRICS.decode(message("c", metric(timestamp=text))))
    assert change.row.metric_at == kept
    assert "metric_at_outside_business_dates" in change.broken
    assert isinstance(change.row.updated_at, datetime)


def test_a_text_that_is_no_time_is_a_dead_letter() -> None:
    for times in ({"timestamp": "noon"}, {"timestamp": "noon", "updated_at": "infinity"}):
        assert isinstance(METRICS.decode(message("c", metric(**times))), DeadLetter)
    assert isinstance(METRICS.decode(message("c", metric(timestamp="infinity", impressions="many"))), DeadLetter)


def test_a_delete_says_its_key_only_and_breaks_no_rule() -> None:
    change = changed(METRICS.decode(message("d", None, before={"id": 7, "campaign_id": None})))
    assert (change.key, change.row.is_deleted, change.row.spend, change.broken) == (7, True, None, [])


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"impressions": None}, ["impressions_missing"]),
        ({"clicks": -1}, ["clicks_negative"]),
        ({"spend": "-0.0001", "conversions": None}, ["conversions_missing", "spend_negative"]),
        ({"campaign_id": None}, ["campaign_id_missing"]),
        ({"timestamp": "2026-05-28T20:31:40.000001Z"}, ["measured_in_the_future"]),
        ({"timestamp": "2026-05-28T20:31:40Z"}, []),
        ({"clicks": 101}, []),
    ],
)
def test_the_rules_of_the_suite_judge_each_row(changes: dict[str, Any], rules: list[str]) -> None:
    assert changed(METRICS.decode(message("c", metric(**changes)))).broken == rules


def event(ts_us: str, more: bytes = b"0") -> bytes:
    """Return an event committed at a time, with a field that no contract names."""
    return b'{"op":"c","more":%b,"source":{"lsn":1,"ts_us":%b},"after":{"id":7}}' % (more, ts_us.encode())


@pytest.mark.parametrize("spend", ["NaN", "NAN", "sNaN", "-NaN12", "Infinity", "-Infinity"])
def test_what_is_no_number_is_quarantined(spend: str) -> None:
    change = changed(METRICS.decode(message("c", metric(spend=spend, clicks=-1))))
    assert change.broken == ["spend_not_a_number"]


def test_an_error_nobody_foresaw_is_told_by_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ArithmeticError("spend of Jane")

    monkeypatch.setattr(METRICS, "_build_change", fail)
    decoded = METRICS.decode(message("c", metric()))
    assert isinstance(decoded, DeadLetter)
    assert decoded.reason == "ArithmeticError"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff\xfe", "DecodeError"),
        (b"[]", "ValidationError: Expected `object`, got `array`"),
        (b'{"op":"x","source":{"lsn":1,"ts_us":1}}', "unknown operation, expected one of"),
        (b'{"op":"\\u0000","source":{"lsn":1,"ts_us":1}}', "unknown operation, expected one of"),
        (b'{"op":"c","source":{"lsn":%d,"ts_us":1}}' % 2**63, "ValidationError: Expected `int`"),
        (
            b'{"op":"u","source":{"lsn":1,"ts_us":1,"sequence":"[\\"%d\\",\\"1\\"]"},"after":{"id":7}}' % 2**63,
            "ValidationError: Expected `int`",
        ),
        (event("1" + "0" * 30), "OverflowError"),
        (event(str(10**15 * 253_402_300)), "OverflowError"),
        (event("1", b"[" * 1100 + b"]" * 1100), "RecursionError"),
        (b'{"op":"c","source":{"lsn":1,"ts_us":1}}', "operation c without its row"),
        (
            b'{"op":"c","source":{"lsn":1,"ts_us":1},"after":{"id":"seven"}}',
            "ValidationError: Expected `int | null`, got",
        ),
    ],
)
def test_what_cannot_be_decoded_is_a_dead_letter(value: bytes, reason: str) -> None:
    decoded = METRICS.decode(Message("t", 0, 0, None, value, 1))
    assert isinstance(decoded, DeadLetter)
    assert decoded.reason.startswith(reason)
    assert "\0" not in decoded.reason


def test_without_an_epoch_nothing_is_known_of_its_rank() -> None:
    decoded = METRICS.decode(message("c", metric(), epoch=None))
    assert isinstance(decoded, DeadLetter)


def test_a_tombstone_says_nothing() -> None:
    assert METRICS.decode(Message("t", 0, 0, b"{}", None, 1)) is None


def group(audience: Any) -> dict[str, Any]:
    at = "2026-05-28T20:00:00Z"
    return {
        "id": CAMPAIGN,
        "campaign_id": CAMPAIGN,
        "name": "g",
        "target_audience": audience,
        "created_at": at,
        "updated_at": at,
        "deleted_at": None,
    }


@pytest.mark.parametrize(
    ("audience", "kept", "rules"),
    [
        ('{"age_min":18,"remarks":"call Jane","countries":["DE"]}', '{"age_min":18,"countries":["DE"]}', []),
        ('{"age_min":18.10,"interests":["b\\u00e4r"]}', '{"age_min":18.10,"interests":["b\\u00e4r"]}', []),
        ("[1]", "[1]", ["target_audience_not_an_object"]),
        ("{", "{", ["target_audience_not_an_object"]),
        (DEEP, DEEP, ["target_audience_not_an_object"]),
        (UNCHANGED, UNCHANGED, []),
        (None, None, []),
    ],
)
def test_of_an_object_only_the_listed_keys_are_kept(audience: Any, kept: Any, rules: list[str]) -> None:
    change = changed(GROUPS.decode(message("u", group(audience))))
    assert (change.row.target_audience, change.broken) == (kept, rules)


def test_what_no_contract_names_is_dropped_and_told() -> None:
    reported, silent = (changed(METRICS.decode(message("c", row))) for row in (metric(note="call Jane"), metric()))
    assert msgspec.structs.asdict(reported.row) == msgspec.structs.asdict(silent.row)
    assert (reported.unnamed, silent.unnamed) == ("Object contains unknown field `note` - at `$.after`", None)


def test_a_field_that_is_absent_is_no_null() -> None:
    complete = metric(spend=None)
    partial = {name: value for name, value in complete.items() if name != "clicks"}
    change = changed(METRICS.decode(message("u", partial)))
    assert (change.row.clicks, change.row.spend) == (msgspec.UNSET, None)
    assert (change.absent, change.left_out) == (("clicks",), ("clicks",))
    # an incomplete row is checked once it is complete
    assert (change.broken, change.unnamed) == ([], None)
    complete["taps"] = complete.pop("clicks")
    change = changed(METRICS.decode(message("u", complete)))
    assert (change.absent, change.unnamed) == (("clicks",), "Object contains unknown field `taps` - at `$.after`")


@pytest.mark.parametrize("value", [UNCHANGED, [UNCHANGED]])
@pytest.mark.parametrize("origin", ["spend", "timestamp", "impressions", "campaign_id"])
def test_what_was_left_as_it_was_is_so_in_every_type(origin: str, value: Any) -> None:
    change = changed(METRICS.decode(message("u", metric(**{origin: value}))))
    name = "metric_at" if origin == "timestamp" else origin
    assert (getattr(change.row, name), change.left_out, change.absent) == (UNCHANGED, (name,), ())


def test_debezium_writes_what_the_decoder_reads() -> None:
    file = ROOT / "schemas" / "kafka" / "connectors" / "postgres.yml"
    written = yaml.safe_load(file.read_text(encoding="utf-8"))["unavailable.value.placeholder"]
    assert bytes.fromhex(written.removeprefix("hex:")).decode() == UNCHANGED
    assert "\0" in UNCHANGED  # no text of PostgreSQL can hold this


@pytest.mark.parametrize(
    ("op", "row"), [("u", {"clicks": 1}), ("c", metric(id=None)), ("r", {"uuid": 7}), ("u", metric(id=UNCHANGED))]
)
def test_a_row_without_its_key_is_a_dead_letter(op: str, row: dict[str, Any]) -> None:
    for decoded in (METRICS.decode(message(op, row)), METRICS.decode(message("d", None, before={"uuid": 7}))):
        assert isinstance(decoded, DeadLetter)
        assert "has no value of id, the key of promptads.campaign_metrics" in decoded.reason


@pytest.mark.parametrize("name", stream_contracts())
def test_every_row_rule_can_be_judged_row_by_row(name: str) -> None:
    assert Decoder(stream_contracts()[name]).rules.left_to_the_audit == ()


MOST = 4 * 2**20


def audience(length: int, filler: str = "x") -> str:
    """Return an object of so many UTF-16 units."""
    rest = length - len('{"age_min":18,"remarks":""}')
    return '{"age_min":18,"remarks":"' + (filler * rest)[:rest] + '"}'


def test_an_object_as_large_as_it_may_be() -> None:
    change = changed(GROUPS.decode(message("c", group(audience(MOST)))))
    assert (change.row.target_audience, change.broken) == ('{"age_min":18}', [])


@pytest.mark.parametrize("cut", [audience(MOST + 2)[: MOST + 1], "[" * (MOST + 1)])
def test_an_object_that_was_cut_is_dropped(cut: str) -> None:
    change = changed(GROUPS.decode(message("c", group(cut))))
    assert (change.row.target_audience, change.broken) == (msgspec.UNSET, ["target_audience_too_large"])


def test_what_is_read_from_the_source_is_not_cut() -> None:
    decoder = Decoder(stream_contracts()["ad_groups"], may_be_cut=False)
    change = changed(decoder.decode(message("c", group(audience(MOST + 1)))))
    assert (change.row.target_audience, change.broken) == ('{"age_min":18}', [])


@pytest.mark.parametrize("name", ["x" * 511, "\U0001f600" * 255 + "\ud83d"])
def test_a_name_that_was_cut(name: str) -> None:
    change = changed(GROUPS.decode(message("c", {**group("{}"), "name": name})))
    assert (change.row.name, change.broken) == (msgspec.UNSET, ["name_too_large"])


def test_a_name_of_emojis_has_two_units_each() -> None:
    change = changed(GROUPS.decode(message("c", {**group("{}"), "name": "\U0001f600" * 255})))
    assert (change.row.name, change.broken) == ("\U0001f600" * 255, [])
