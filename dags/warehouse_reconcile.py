"""Compare every feed and every streamed table with its source once a day, and repair what no watermark or event shows.

For each feed **compare** takes a snapshot of the warehouse and then one of the source, and compares counts and hashes
of 4096 buckets of keys, computed by both servers; for it, the documents of a collection are drawn into staging. Only
rows of unequal buckets are compared one by one:

- gone at the source: soft-deleted in core, with a version of its own, or taken out of quarantine;
- missing, or an older version than the source's: read again by the load that follows, checks and all;
- changed though `updated_at` stood still (a disabled trigger, a restore, a change by hand): reported, and read again;
- changed since the last load: no fault, the next load reads it anyway.

Where nothing is to be read again, the load is skipped. A streamed table has one task: it repairs what differs by
itself, under the versions of the stream, so that a newer event always wins; the next `stream_audit` judges the rows and
lets the marts follow. The result is a row in `ops.reconciliation`, the keys are in
`ops.reread`. Where very many rows are gone nothing is deleted and the task fails: an emptied table is rarely meant.
`promptsales reconcile` does the same by hand.
"""

from airflow.sdk import DAG

from promptsales.orchestration.daily import daily
from promptsales.orchestration.reconcile import reconcile_group, reconcile_streamed
from promptsales.reconcile.original import is_comparable
from promptsales.specs.feed import contracts
from promptsales.specs.stream import stream_contracts

with DAG(
    dag_id="warehouse_reconcile",
    dag_display_name="Warehouse, reconcile",
    description="Every feed and streamed table against its source, key by key and hash by hash",
    doc_md=__doc__,
    tags=["daily", "warehouse", "core"],
    **daily("40 3"),
) as dag:
    for contract in contracts().values():
        if is_comparable(contract):
            reconcile_group(contract)
    for streamed in stream_contracts().values():
        reconcile_streamed(streamed)
