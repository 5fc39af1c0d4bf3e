"""Budget alerts: the statement that decides them, and the thread that sends each as an event, at least once.

The stream runs `DECIDE`, which is ``sql/budget_alerts.sql``, in the transaction of the change that moves the spend of a
campaign. The levels are in ``warehouse/realtime/budget_alert/0004_levels.sql``. The thread sends a row afterwards, with
a stable id, and marks it as sent only when the brokers have it.
"""

import threading
import time
from typing import Any

import msgspec
import psycopg
from confluent_kafka import Producer
from psycopg.rows import dict_row

from promptsales.connections import connected
from promptsales.errors import PipelineError, TransientError
from promptsales.failures.kafka import kafka_errors, kafka_failure
from promptsales.kafka_address import client_properties
from promptsales.printable import logger
from promptsales.settings import Settings
from promptsales.stream.statements import read

log = logger(__name__)

TOPIC = "promptads.alerts.v1"
# writes a row for each level that the spend of a campaign has reached, once
DECIDE = read("budget_alerts")
_LOOK_S, _PAUSE_S, _FLUSH_S = 1.0, 5.0, 20.0

# several workers share the work: each skips the rows that another has locked
_WAITING = """
    select alert_id, campaign_id, level_pct, spend::text, budget::text, currency_code, alerted_at
    from realtime.budget_alert where sent_at is null order by alerted_at, alert_id limit 500 for update skip locked
"""
_SENT = "update realtime.budget_alert set sent_at = clock_timestamp() where alert_id = any(%s)"


def start(settings: Settings) -> None:
    """Start a thread that sends alerts until the process ends."""
    threading.Thread(target=_send_for_ever, args=(settings,), name="alerts", daemon=True).start()


def _send_for_ever(settings: Settings) -> None:
    while True:
        try:
            with connected(settings, "warehouse", patience="look") as warehouse:
                login = client_properties(settings.address("kafka_alerts"))
                producer = Producer({**login, "enable.idempotence": True, "log_level": 0})
                while True:
                    if not send(warehouse, producer):
                        time.sleep(_LOOK_S)
        except PipelineError as error:
            log.warning("budget alerts wait: %s; retrying in %d s", error, _PAUSE_S)
            time.sleep(_PAUSE_S)


def send(warehouse: psycopg.Connection, producer: Producer) -> int:
    """Send the waiting alerts, and return how many.

    Raises:
        TransientError, TerminalError: when the brokers do not accept them all; they stay waiting and may be sent twice.
    """
    refused: list[Any] = []
    with warehouse.transaction(), warehouse.cursor(row_factory=dict_row) as cursor:
        alerts = cursor.execute(_WAITING).fetchall()
        with kafka_errors("send budget alerts"):
            for alert in alerts:
                producer.produce(
                    TOPIC,
                    key=str(alert["campaign_id"]),
                    value=msgspec.json.encode(alert),
                    on_delivery=lambda error, _: refused.append(error) if error else None,
                )
            left = producer.flush(_FLUSH_S)
        if refused:
            raise kafka_failure("send budget alerts", refused[0])
        if left:
            raise TransientError(
                f"send budget alerts: kafka did not confirm {left} of {len(alerts)} events in {_FLUSH_S:.0f} s; "
                "the worker retries"
            )
        if alerts:
            cursor.execute(_SENT, [[alert["alert_id"] for alert in alerts]])
    return len(alerts)
