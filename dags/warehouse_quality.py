"""Check the warehouse as it stands, once a day; loads check what they bring, this checks what is there.

- **rows** runs each `expectations.yml` over all of its table: feeds, streamed tables, marts. It fails when a rule does
  that is more than a warning.
- **feeds** warns where a feed brought unusually many or few rows yesterday (against the same weekday of twelve weeks),
  none where it always brought some, or is complete to two or four hours ago only.
- **columns** warns where a source has columns that its contract does not know. No load reads them.
- **types** warns where more than one in a hundred documents of a collection have a field in another BSON type.

Every result is a row in `ops.check_result`. `promptsales check --all` does the first two by hand.
"""

from airflow.sdk import DAG

from promptsales.orchestration.daily import daily
from promptsales.orchestration.quality import columns, feeds, rows, types
from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import stream_contracts

with DAG(
    dag_id="warehouse_quality",
    dag_display_name="Warehouse, quality",
    description="Every suite over its whole table, and what the feeds have been bringing",
    doc_md=__doc__,
    tags=["daily", "warehouse", "core"],
    **daily("40 4"),
) as dag:
    feeds()
    for table in (*contracts(), *stream_contracts(), *tables()):
        rows.override(task_id=f"{table}_rows")(table)
    for contract in contracts().values():
        # SQL says which columns there are, a collection which types its fields have
        look, what = (types, "types") if contract.path == "change_stream" else (columns, "columns")
        look.override(task_id=f"{contract.table}_{what}", pool=contract.source.system)(contract.table)
