"""Budget alerts for other systems: each row of ``realtime.budget_alert`` as an event, at least once, by a stable id.

A row and what it is about are one transaction; here it is sent afterwards, and only then noted as sent.
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
from promptsales.printable import logger
from promptsales.settings import Settings

log = logger(__name__)

TOPIC = "promptads.alerts.v1"
_LOOK_S, _PAUSE_S, _FLUSH_S = 1.0, 5.0, 20.0

# of several workers each takes others
_WAITING = """
    select alert_id, campaign_id, level_pct, spend::text, budget::text, currency_code, alerted_at
    from realtime.budget_alert where sent_at is null order by alerted_at, alert_id limit 500 for update skip locked
"""
_SENT = "update realtime.budget_alert set sent_at = clock_timestamp() where alert_id = any(%s)"


def start(settings: Settings) -> None:
    """Begin to send, until the process ends."""
    threading.Thread(target=_send_for_ever, args=(settings,), name="alerts", daemon=True).start()


def _send_for_ever(settings: Settings) -> None:
    while True:
        try:
            with connected(settings, "warehouse", patience="look") as warehouse:
                producer = Producer(
                    {"bootstrap.servers": settings.address("kafka"), "enable.idempotence": True, "log_level": 0}
                )
                while True:
                    if not send(warehouse, producer):
                        time.sleep(_LOOK_S)
        except PipelineError as error:
            log.warning("budget alerts wait: %s", error)
            time.sleep(_PAUSE_S)


def send(warehouse: psycopg.Connection, producer: Producer) -> int:
    """Send what waits; how many events.

    Raises:
        TransientError, TerminalError: when the brokers do not take them all; they stay waiting, and may come twice.
    """
    refused: list[Any] = []
    with warehouse.transaction(), warehouse.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_WAITING).fetchall()
        with kafka_errors("send budget alerts"):
            for alert in found:
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
            raise TransientError("send budget alerts: kafka does not answer; it is tried again")
        if found:
            cursor.execute(_SENT, [[alert["alert_id"] for alert in found]])
    return len(found)
