"""What the benchmark of the stream reads from logs, and how it matches it with late commits."""

from bench.causes import Cause, count_causes, count_unexplained, read_collections, read_rebalances, sum_seconds

_COLLECTIONS = """\
[2026-11-28T20:00:00.100+0000] Using Serial
[2026-11-28T20:00:10.500+0000] GC(0) Pause Young (Allocation Failure) 51M->13M(121M) 12.500ms
"""
_WORKER = """\
[2026-11-28 20:46:53,915] [16080] [INFO] Revoking previously assigned partitions
+Topic Partition Set----------------------+------------+
[2026-11-28 20:46:53,987] [16080] [INFO] [^---Recovery]: Worker ready
[2026-11-28 20:46:55,000] [16080] [INFO] [^---Recovery]: Worker ready
"""
_TEN, _MINUTE_46 = 1795896010.5, 1795898813


def test_pauses_of_a_log_end_when_their_line_was_written() -> None:
    assert list(read_collections("kafka", _COLLECTIONS.splitlines())) == [
        Cause("kafka collects garbage", _TEN - 0.0125, _TEN)
    ]


def test_a_worker_stands_still_until_it_is_ready_again() -> None:
    assert list(read_rebalances(_WORKER.splitlines())) == [
        Cause("workers share the partitions anew", _MINUTE_46 + 0.915, _MINUTE_46 + 0.987)
    ]


def test_a_late_commit_has_every_cause_that_ran_meanwhile() -> None:
    causes = [Cause("spark", 20, 30), Cause("spark", 0, 10), Cause("gc", 9, 9.5), Cause("checkpoint", 50, 60)]
    late = [(8.0, 12.0), (10.0, 20.0), (29.0, 31.0)]
    assert count_causes(late, causes) == {"spark": 2, "gc": 1, "checkpoint": 0}
    assert count_unexplained(late, causes) == 1
    assert sum_seconds(causes) == {"spark": 20, "gc": 0.5, "checkpoint": 10}
