"""One seed number determines everything."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from promptsales.errors import ConfigError
from promptsales.seed.world import SCALES, Size, World, naive, weekday_factor

SMALL = SCALES[Size.SMALL]


def test_same_number_gives_same_ids_whatever_the_anchor(world: World) -> None:
    later = World(world.anchor + timedelta(days=40), SMALL)

    assert later.id("user", 3) == world.id("user", 3)
    assert later.object_id("asset", 3) == world.object_id("asset", 3)
    assert later.rng("leads", 1).random() == world.rng("leads", 1).random()


def test_another_number_gives_other_ids(world: World) -> None:
    different = World(world.anchor, SMALL, number=7)

    assert different.id("user", 3) != world.id("user", 3)
    assert different.rng("leads", 1).random() != world.rng("leads", 1).random()


def test_kind_and_index_tell_ids_apart(world: World) -> None:
    ids = {world.id(kind, index) for kind in ("user", "campaign") for index in range(1_000)}

    assert len(ids) == 2_000


@pytest.mark.parametrize(
    "anchor", [datetime(2026, 6, 1), datetime(2026, 6, 1, 1, tzinfo=UTC)], ids=["no zone", "not midnight"]
)
def test_anchor_must_be_midnight_utc(anchor: datetime) -> None:
    with pytest.raises(ConfigError, match="expected midnight in the zone UTC; pass such a time"):
        World(anchor, SMALL)


def test_naive_is_utc() -> None:
    assert naive(datetime(2026, 6, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == datetime(2026, 6, 1)


def test_weekdays_average_one() -> None:
    week = [weekday_factor(datetime(2026, 6, day)) for day in range(1, 8)]

    assert sum(week) / 7 == pytest.approx(1)
