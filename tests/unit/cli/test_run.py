"""Work that waits for a part of the stack: it starts when that part is healthy, and never when the start failed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from promptsales.cli.run import ServicesHealth

STREAM = frozenset({"kafka", "stream"})


def test_waits_for_its_services_only() -> None:
    said: list[str] = []
    health = ServicesHealth()
    with ThreadPoolExecutor(1) as worker:
        is_ready = worker.submit(health.wait, STREAM)
        health.update("airflow", "starting", said.append)
        health.update("kafka", "healthy", said.append)
        assert not is_ready.done()
        health.update("stream", "healthy", said.append)
        assert is_ready.result(10)
    assert said == ["airflow starting", "kafka healthy", "stream healthy"]


@pytest.mark.parametrize("is_failed", [True, False], ids=["a service failed", "the start was given up"])
def test_a_start_that_failed_lets_nobody_wait(is_failed: bool) -> None:
    health = ServicesHealth()
    with ThreadPoolExecutor(1) as worker:
        is_ready = worker.submit(health.wait, STREAM)
        health.update("kafka", "healthy", print)
        if is_failed:
            health.update("airflow", "failed", print)
        else:
            health.give_up()
        assert not is_ready.result(10)


def test_what_is_healthy_before_a_failure_can_be_used() -> None:
    health = ServicesHealth()
    for name in STREAM:
        health.update(name, "healthy", print)
    health.update("airflow", "failed", print)
    assert health.wait(STREAM)
