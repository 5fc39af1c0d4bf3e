"""The statements of a feed, in the order in which it needs them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from psycopg import sql

from promptsales.erasure import removal, suppression
from promptsales.extract import delta
from promptsales.extract.mongo import staging
from promptsales.feeds import quarantine
from promptsales.feeds import staging as load
from promptsales.feeds.models import Window
from promptsales.load import merge, rekey
from promptsales.privacy import person
from promptsales.provision.tables import staging_script
from promptsales.provision.views import view_script
from promptsales.reconcile import statements as reconcile
from promptsales.settings import ROOT
from promptsales.specs.feed import Contract
from promptsales.specs.suite import read_suite

Statements = Iterator[tuple[str, sql.Composable]]

_EXTRACTION = 42
_WATERMARK = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_WINDOW = Window(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 2, 1, tzinfo=UTC))


def statements(feed: Contract) -> Statements:
    """Yield the title and the text of each statement of a feed."""
    if feed.hash_at == "source":
        yield "provision: the hashing view at the source", view_script(feed, _source_types(feed))
    yield "provision: the staging table", staging_script(feed)
    yield from _extract(feed)
    yield from _suppress(feed)
    yield from _check(feed)
    yield from _publish(feed)
    if feed.is_hashed:
        yield from _rotate(feed)
    yield from _reconcile(feed)
    yield from _erase(feed)


def _source_types(feed: Contract) -> dict[str, str]:
    """The types of a relation's columns: as the contract says, but for the times that the schema has without a zone."""
    types = {column.origin: column.type for column in feed.columns}
    for path in (ROOT / "schemas" / "sql").glob("*/*.sql"):
        for name, columns in re.findall(r"^create table (\S+) \((.*?)^\);", path.read_text("utf-8"), re.M | re.S):
            if name == feed.source.relation:
                types |= dict.fromkeys(
                    re.findall(r"^ +(\w+) timestamp\b", columns, re.M), "timestamp without time zone"
                )
    return types


def _extract(feed: Contract) -> Statements:
    if feed.hash_at == "source":
        yield "extract: a first load", delta.copy_out(feed, _EXTRACTION, None, None, ())
        yield "extract: a delta", delta.copy_out(feed, _EXTRACTION, None, _WATERMARK, ())
        retries = "extract: a delta with the quarantined keys that are due"
        yield retries, delta.copy_out(feed, _EXTRACTION, None, _WATERMARK, ("a key", "another key"))
        yield "extract: a window", delta.copy_out(feed, _EXTRACTION, _WINDOW, None, ())
    yield "stage: empty the staging table", load.truncate(feed)
    if feed.path == "change_stream":
        yield "stage: copy rows into staging", staging.copy_rows(feed)
        yield "stage: keep the last row of each key", staging.keep_latest(feed)
        yield "stage: complete deletes from core", staging.complete_deletes(feed)
        yield "stage: drop deletes of rows that core never had", staging.drop_gone(feed)
    else:
        yield "stage: copy rows into staging", load.copy_in(feed)


def _suppress(feed: Contract) -> Statements:
    yield "suppress: find rows of erased persons that core still has", suppression.in_core(feed)
    if feed.email_hmac:
        yield "suppress: learn an erased person's hash under a new key", suppression.renew(feed)
        yield "suppress: find rows with an erased person's hash under another id", suppression.by_hash(feed)
    yield "suppress: drop rows of erased persons", suppression.drop(feed)
    if feed.references:
        yield "suppress: replace references to erased persons", suppression.scrub(feed)


def _check(feed: Contract) -> Statements:
    yield "stage: drop rows that are in quarantine unchanged", quarantine.drop_held(feed)
    yield "stage: analyze", load.analyze(feed)
    yield "stage: drop rows that equal core", load.drop_unchanged(feed)
    yield "check: count the staged rows", load.count_staged(feed)
    yield "check: clear earlier verdicts", quarantine.clear_verdicts(feed)
    yield "check: mark rows by number", quarantine.mark_rows(feed)
    for expectation in read_suite(feed).expectations:
        if expectation.query and expectation.meta.on_fail == "quarantine":
            yield (
                f"check: mark rows that break {expectation.meta.rule}",
                quarantine.mark_selected(feed, expectation.query),
            )
    yield "check: let rows pass that were released by hand", quarantine.waive(feed)
    if feed.path == "change_stream":
        yield "check: let deletes pass", quarantine.accept_deletes(feed)
    yield "check: count the marked rows", quarantine.count_marked(feed)


def _publish(feed: Contract) -> Statements:
    yield "publish: release rows from quarantine", quarantine.close_published(feed)
    yield "publish: move marked rows to quarantine", quarantine.hold(feed)
    yield f"publish: a first load of core.{feed.table}", merge.insert_first(feed)
    if feed.touched:
        yield "publish: note the days of a first load", merge.touch_first(feed, feed.touched)
    yield f"publish: upsert into core.{feed.table}", merge.upsert(feed)


def _rotate(feed: Contract) -> Statements:
    for number, statement in enumerate(rekey.bridge(feed), 1):
        yield f"rotate: bridge old and new hashes ({number})", statement
    for number, statement in enumerate(rekey.rest(feed), 1):
        yield f"rotate: remove hashes of the old key ({number})", statement


def _reconcile(feed: Contract) -> Statements:
    if feed.hash_at == "source":
        sides = {"source": reconcile.select_source_rows(feed), "warehouse": reconcile.select_warehouse_rows(feed)}
        yield "reconcile: which of some keys the source has", reconcile.select_existing(feed)
    else:
        sides = {"source": reconcile.select_staged_rows(feed, 0), "warehouse": reconcile.select_warehouse_rows(feed)}
    for side, rows in sides.items():
        yield f"reconcile: digests by bucket of the {side}", reconcile.sum_buckets(feed, rows)
        yield f"reconcile: digests by key of the {side}", reconcile.select_digests(feed, rows)
        for column in feed.money:
            yield f"reconcile: total of {column} of the {side}", reconcile.sum_column(feed, rows, column)
    yield "reconcile: soft-delete rows that the source no longer has", merge.soft_delete(feed)


def _erase(feed: Contract) -> Statements:
    yield "erase: find a person's rows in core", person.select_core(feed)
    yield "erase: find a person's rows in quarantine", person.select_quarantine(feed)
    if feed.touched:
        yield "erase: touch the days of rows that name a person", removal.compose_touch("core", feed)
