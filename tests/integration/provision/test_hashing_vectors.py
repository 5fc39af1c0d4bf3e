"""The shared test vectors, hashed by PostgreSQL in a view."""

import uuid
from collections.abc import Iterator

import pytest
from psycopg import sql

from promptsales.provision.views import source_types, view_script
from promptsales.specs.feed import Contract, contract
from tests.integration.provision.conftest import KEY, Connect
from tests.support import vectors
from tests.support.vectors import Vector


def probe() -> Contract:
    """Return a feed of the CRM's leads that applies every transform to a text."""
    leads = contract("leads").model_dump()
    made = [
        vectors.column(transform, "landing_page_url")
        for transform in dict.fromkeys(vector.transform for vector in vectors.vectors())
    ]
    kept = [column for column in leads["columns"] if column["name"] in ("lead_id", "updated_at")]
    changes = {
        "table": "probe",
        "columns": kept + [column.model_dump() for column in made],
        "history": (),
        "unread": (),
        "touched": None,
    }
    return Contract.model_validate({**leads, **changes})


@pytest.fixture(scope="module")
def view(crm_copy: Connect) -> Iterator[Connect]:
    feed = probe()
    with crm_copy("postgres") as admin:
        admin.execute(view_script(feed, source_types(admin, feed)))
        yield crm_copy
        admin.execute("drop view etl.probe")


def test_key_is_that_of_the_vectors() -> None:
    assert KEY == vectors.KEY


@pytest.mark.parametrize("vector", vectors.vectors(), ids=lambda vector: f"{vector.transform}-{vector.value!r}")
def test_vector(view: Connect, vector: Vector) -> None:
    key = uuid.uuid4()
    with view("promptcrm_owner") as owner, view("etl_reader") as reader:
        owner.execute(
            "insert into crm.leads (id, owner_user_id, landing_page_url) values (%s, %s, %s)", [key, key, vector.value]
        )
        query = sql.SQL("select {} from etl.probe where lead_id = %s").format(sql.Identifier(vector.transform))
        assert reader.execute(query, [key]).fetchone() == (vector.expected,)
        owner.execute("delete from crm.leads where id = %s", [key])
