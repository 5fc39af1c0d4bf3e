"""Check whole tables of the warehouse once a day; loads check only the rows they bring.

- **rows** runs each `expectations.yml` over the whole table of a feed, a stream or a mart. It fails when a rule fails
  that is not a warning.
- **feeds** warns when a feed brought unusually many or few rows yesterday (compared with the same weekday of the last
  twelve weeks), brought none although it always brings some, or is more than two (late) or four (stale) of its
  intervals behind.
- **columns** warns when a source has columns that its contract does not name. No load reads them.
- **types** warns when more than 1% of the documents that have a field hold it in a different BSON type than most.

Every result is a row in `ops.check_result`. `promptsales check --all` runs the first two without Airflow.
"""

from airflow.sdk import DAG

from promptsales.orchestration.conf import check_conf_first
from promptsales.orchestration.daily import daily
from promptsales.orchestration.quality import check_columns, check_feeds, check_rows, check_types
from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import stream_contracts

with DAG(
    dag_id="warehouse_quality",
    description="Run every suite over its whole table, and check the volume of the feeds",
    doc_md=__doc__,
    tags=["daily", "warehouse", "core"],
    **daily("40 4"),
) as dag:
    check_feeds()
    for table in (*contracts(), *stream_contracts(), *tables()):
        check_rows.override(task_id=f"{table}_rows")(table)
    for contract in contracts().values():
        # a collection has no fixed columns, but its fields can have several types
        check, kind = (check_types, "types") if contract.path == "change_stream" else (check_columns, "columns")
        check.override(task_id=f"{contract.table}_{kind}", pool=contract.source.system)(contract.table)
    check_conf_first(dag)
