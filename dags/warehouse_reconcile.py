"""Compare every feed and streamed table with its source once a day, and repair differences that loads cannot see.

The task **compare** of a feed takes a snapshot of the warehouse and then one of the source, and compares counts and
hashes of 4096 buckets of keys, which both servers compute. The documents of a collection are copied into staging for
this. Only rows of buckets that differ are compared one by one:

- A row that is gone at the source is soft-deleted in core as a new version, or removed from quarantine.
- A row that is missing, or older than at the source, is read again by the load that follows, with all checks.
- A row that changed while `updated_at` stayed the same (a disabled trigger, a restore, a manual change) is reported and
  read again.
- A row that changed since the last load is not an error: the next load reads it anyway.

If no row has to be read again, the load is skipped. A streamed table has one task, which repairs the rows itself with
versions of the stream, so that a newer event always wins; the next `stream_audit` checks these rows and triggers the
marts. The result is a row in `ops.reconciliation`; the keys to read again are in `ops.reread`. If more than
20% and at least 100 rows are gone, the task deletes nothing and fails, because a source table is rarely emptied on
purpose. `promptsales reconcile` does the same without Airflow.
"""

from airflow.sdk import DAG

from promptsales.orchestration.conf import check_conf_first
from promptsales.orchestration.daily import daily
from promptsales.orchestration.reconcile import reconcile_group, reconcile_streamed
from promptsales.reconcile.original import is_comparable
from promptsales.specs.feed import contracts
from promptsales.specs.stream import stream_contracts

with DAG(
    dag_id="warehouse_reconcile",
    description="Compare every feed and streamed table with its source, by hashes of the rows",
    doc_md=__doc__,
    tags=["daily", "warehouse", "core"],
    **daily("40 3"),
) as dag:
    for contract in contracts().values():
        if is_comparable(contract):
            reconcile_group(contract)
    for streamed in stream_contracts().values():
        reconcile_streamed(streamed)
    check_conf_first(dag)
