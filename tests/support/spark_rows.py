"""The number of rows that the operators of Spark's queries produce: a query's cost without a clock."""

from typing import Any


def executions(spark: Any) -> int:
    """Return how many queries the session has run, as the mark to count rows from."""
    return len_of(_store(spark).executionsList())


def rows_made(spark: Any, after: int) -> int:
    """Return the rows that all operators of the queries after a mark produced, including reads of the warehouse."""
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    store = _store(spark)
    queries = store.executionsList()
    return sum(_rows(store, queries.apply(number)) for number in range(after, len_of(queries)))


def len_of(sequence: Any) -> int:
    """Return the length of a Scala sequence."""
    return int(sequence.size())


def _store(spark: Any) -> Any:
    return spark._jsparkSession.sharedState().statusStore()


def _rows(store: Any, execution: Any) -> int:
    values = store.executionMetrics(execution.executionId())
    metrics = execution.metrics()
    counted = {
        metrics.apply(number).accumulatorId()
        for number in range(len_of(metrics))
        if metrics.apply(number).name() == "number of output rows"
    }
    texts = [values.get(number) for number in counted]
    return sum(int(text.get().replace(",", "")) for text in texts if text.isDefined())
