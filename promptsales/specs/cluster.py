"""The roles and databases of a cluster: ``schemas/roles/<cluster>.yml``."""

from typing import Literal

from pydantic import Field

from promptsales.documents import Document, read_document
from promptsales.names import Relation
from promptsales.settings import ROOT

Cluster = Literal["sources", "warehouse"]
Kind = Literal["tables", "views"]


class Role(Document):
    """A role in the file."""

    description: str
    login: bool = False
    replication: bool = False
    member_of: tuple[str, ...] = ()
    settings: dict[str, str] = Field(default={})
    reads: dict[str, tuple[Kind, ...]] = Field(default={}, description="what it may read, by schema of its database")
    relations: tuple[Relation, ...] = Field(default=(), description="the tables and views that it may read besides")


class Database(Document):
    """A database in the file: its owner, and the roles that may connect, or create schemas and temporary tables."""

    owner: str = "postgres"
    connect: tuple[str, ...] = ()
    create: tuple[str, ...] = ()

    @property
    def grants(self) -> frozenset[tuple[str, str]]:
        """Pairs of role and privilege, as PostgreSQL lists them."""
        return frozenset(
            [(role, "CONNECT") for role in self.connect]
            + [(role, privilege) for role in self.create for privilege in ("CREATE", "TEMPORARY")]
        )


class ClusterSpec(Document):
    """The roles and databases that a cluster must have."""

    roles: dict[str, Role]
    databases: dict[str, Database] = Field(description="created empty; migrations fill them")


def read_cluster_spec(cluster: Cluster) -> ClusterSpec:
    """Read the file of a cluster.

    Raises:
        ConfigError: when the file is invalid.
    """
    return read_document(ROOT / "schemas" / "roles" / f"{cluster}.yml", ClusterSpec)
