"""A publication that was changed by hand."""

from collections.abc import Iterator

import pytest

from promptsales.errors import TerminalError
from promptsales.provision import provision_database
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream import progress
from promptsales.stream.audit_books import refuse_unpublished
from tests.integration.provision.conftest import KEY, Connect, Scratch, provisioned


@pytest.fixture
def crm(stack: Settings, scratch: Scratch) -> Iterator[Connect]:
    """Provision a CRM in a database of its own."""
    with provisioned(stack, "promptcrm") as connect:
        yield connect


def test_operations_that_are_not_published(crm: Connect) -> None:
    published = "select pubinsert, pubupdate, pubdelete, pubtruncate from pg_publication where pubname = 'promptcrm'"
    assert crm("etl_audit").execute(published).fetchall() == [(True, True, True, True)]
    crm("postgres").execute("alter publication promptcrm set (publish = 'insert, update')")
    lost = r"^publication promptcrm does not publish delete, truncate, so the source's changes of that kind are lost"
    with pytest.raises(TerminalError, match=lost):
        progress._refuse_unpublished(crm("etl_audit"), "promptcrm")
    with pytest.raises(TerminalError, match=lost):
        refuse_unpublished(crm("etl_audit"), stream_contracts()["live_leads"])
    todo = (
        "publication promptcrm publishes insert, update, delete, truncate; operations it skipped before have no event; "
        "run `promptsales reconcile opportunity_stage_history live_leads live_opportunities`"
    )
    for dry_run in (True, False):  # the first is what doctor does
        assert [change.what for change in provision_database(crm("postgres"), "promptcrm", {1: KEY}, dry_run)] == [todo]
    assert crm("etl_audit").execute(published).fetchall() == [(True, True, True, True)]
    progress._refuse_unpublished(crm("etl_audit"), "promptcrm")
