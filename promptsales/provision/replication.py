"""Find rules of a cluster's ``pg_hba.conf`` that let a role of the stream copy the whole cluster."""

from collections.abc import Iterator
from pathlib import Path

import psycopg

from promptsales.provision.changes import ProvisionChange
from promptsales.specs.cluster import Cluster, read_cluster_spec

_RULES = (Path(__file__).parent / "sql" / "replication_rules.sql").read_bytes()


def find_open_rules(connection: psycopg.Connection, cluster: Cluster) -> Iterator[ProvisionChange]:
    """Yield a warning for each rule that admits a role to physical replication; the stream's is logical.

    Nothing is found where the administrator may not read the rules.
    """
    roles = [name for name, role in read_cluster_spec(cluster).roles.items() if role.replication]
    for role in roles if _may_read(connection) else ():
        for line, file in connection.execute(_RULES, [role]):
            what = (
                f"line {line} of {file} lets {role} copy the whole cluster with pg_basebackup; name the roles that "
                f"take backups there, and leave {role} out: the stream connects to a database, not to `replication`"
            )
            yield ProvisionChange(system=cluster, what=what, is_warning=True)


def _may_read(connection: psycopg.Connection) -> bool:
    query = "select has_table_privilege('pg_hba_file_rules', 'select')"
    query += " and has_function_privilege('pg_hba_file_rules()', 'execute')"
    return connection.execute(query).fetchone() == (True,)
