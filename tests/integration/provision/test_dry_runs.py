"""A dry run of a release that brings a new role, on servers that lack it, lists what it can and changes nothing."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.connections import connected
from promptsales.provision import pads, provision_database
from promptsales.provision.changes import ProvisionChange
from promptsales.settings import Settings
from promptsales.specs.cluster import read_cluster_spec


def test_a_role_that_is_still_to_be_created(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = read_cluster_spec("sources")
    roles = spec.roles | {"of_the_next_release": spec.roles["etl_audit"]}
    monkeypatch.setattr(
        "promptsales.provision.schemas.read_cluster_spec", lambda _: spec.model_copy(update={"roles": roles})
    )
    with connected(stack, "sources_admin", database="promptcrm") as admin:
        assert provision_database(admin, "promptcrm", dry_run=True) == [
            ProvisionChange(
                system="promptcrm",
                what="hashing views, publications and grants are compared once the files are applied and the roles "
                "exist",
            )
        ]


def test_a_database_without_pads_has_none_to_remove(stack: Settings) -> None:
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="postgres"), autocommit=True) as admin:
        assert pads.wipe_old_pads(admin, "postgres", dry_run=True) == []
