"""A source table that was replaced under its name, as online schema changes and conversions to partitions do."""

from collections.abc import Iterator

import pytest

from promptsales.errors import SourceRefused, TerminalError
from promptsales.extract import delta
from promptsales.provision import provision_database
from promptsales.specs.feed import contract
from promptsales.specs.stream import stream_contracts
from promptsales.stream import progress
from promptsales.stream.audit_books import refuse_unpublished
from tests.integration.provision.conftest import KEY, Connect, Scratch, provisioned

ACTIVITIES = contract("activities")
SWAP = """
    alter table crm.activities rename to activities_old;
    create table crm.activities (like crm.activities_old including all);
    insert into crm.activities select * from crm.activities_old;
"""
PARTITION = """
    alter table crm.activities rename to activities_old;
    create table crm.activities (like crm.activities_old including defaults) partition by list (activity_type);
    alter table crm.activities attach partition crm.activities_old default;
"""
STALE = (
    "feed activities: etl.activities reads crm.activities_old, not crm.activities: the table was replaced under its "
    "name; run `promptsales provision`"
)
READABLE = """
    select c.relname::text from pg_class c
    where c.relnamespace = 'crm'::regnamespace and c.relname ~ '^(activities|leads)(_old)?$'
      and exists (select from pg_class where relname = c.relname || '_old' or relname || '_old' = c.relname)
      and has_any_column_privilege(%(role)s, c.oid, 'select')
"""
CURSOR_INDEX = """
    select i.indexrelid::regclass::text from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = 'crm.activities'::regclass and a.attname = 'updated_at'
"""


@pytest.fixture
def crm(stack: object, scratch: Scratch) -> Iterator[Connect]:
    with provisioned(stack, "promptcrm") as connect:  # type: ignore[arg-type]
        yield connect


def provision(crm: Connect, dry_run: bool = False) -> list[tuple[str, bool]]:
    return [
        (change.what, change.is_warning)
        for change in provision_database(crm("postgres"), "promptcrm", {1: KEY}, dry_run)
    ]


@pytest.mark.parametrize("swap", [SWAP, PARTITION])
def test_the_view_is_refused_and_remade(crm: Connect, swap: str) -> None:
    crm("promptcrm_owner").execute(swap.encode())
    reader = crm("etl_reader")
    with pytest.raises(SourceRefused) as refused:
        delta.refuse_drift(ACTIVITIES, reader)
    assert str(refused.value) == STALE
    assert ("view etl.activities recreated", False) in provision(crm, dry_run=True)
    assert ("view etl.activities recreated", False) in provision(crm)
    delta.refuse_drift(ACTIVITIES, reader)
    assert ("view etl.activities recreated", False) not in provision(crm)


def test_what_the_new_table_lacks_is_named(crm: Connect) -> None:
    crm("promptcrm_owner").execute(SWAP.encode())
    provision(crm)
    assert columns_readable(crm, "etl_owner") == {"activities"}
    untouched = (
        "crm.activities has no trigger that runs before update of each row, so a change that leaves updated_at "
        "alone is missed; create one that sets updated_at"
    )
    assert provision(crm) == [(untouched, True)]
    crm("promptcrm_owner").execute(
        "create trigger touch before insert or update on crm.activities for each row "
        "execute function crm.set_updated_at()"
    )
    assert provision(crm) == []
    (index,) = crm("postgres").execute(CURSOR_INDEX).fetchone() or ("",)
    crm("promptcrm_owner").execute(f"drop index {index}".encode())
    slow = "crm.activities has no index that begins with updated_at, so each load reads all of it; create one"
    assert provision(crm) == [(slow, True)]


def test_a_streamed_table(crm: Connect) -> None:
    crm("promptcrm_owner").execute(SWAP.replace("activities", "leads").encode())
    published = "select tablename::text from pg_publication_tables where pubname = 'promptcrm' and tablename ~ 'leads'"
    audit, leads = crm("etl_audit"), stream_contracts()["live_leads"]
    assert audit.execute(published).fetchall() == [("leads_old",)]
    with pytest.raises(TerminalError, match=r"live_leads: crm\.leads is not in publication promptcrm any more"):
        refuse_unpublished(audit, leads)
    with pytest.raises(TerminalError, match=r"^crm\.leads is not in publication promptcrm, so its changes are lost"):
        progress._refuse_unpublished(audit, "promptcrm")
    again = (
        "publication promptcrm: rows written to crm.leads before have no event; "
        "run `promptsales connectors snapshot promptcrm`"
    )
    assert (again, False) in provision(crm)
    assert audit.execute(published).fetchall() == [("leads",)]
    refuse_unpublished(audit, leads)
    progress._refuse_unpublished(audit, "promptcrm")
    assert columns_readable(crm, "cdc") == {"leads"}


def columns_readable(crm: Connect, role: str) -> set[str]:
    """Return the swapped tables that a role may read, at least in part."""
    return {name for (name,) in crm("postgres").execute(READABLE, {"role": role})}
