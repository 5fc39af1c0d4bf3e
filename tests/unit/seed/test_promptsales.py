"""Users and their subscriptions."""

from collections import Counter, defaultdict
from itertools import pairwise

from promptsales.seed.planted import PLANTED
from promptsales.seed.promptsales import subscriptions, users
from promptsales.seed.world import World


def test_same_seed_same_rows(world: World, same_world: World) -> None:
    assert list(users(world)) == list(users(same_world))
    assert list(subscriptions(world)) == list(subscriptions(same_world))


def test_users(world: World) -> None:
    people = list(users(world))

    assert len(people) == len({user.email for user in people}) == world.scale.users
    assert Counter(user.role for user in people) == {"marketer": 20, "viewer": 7, "admin": 3}
    assert sum(not user.email.strip() for user in people) == PLANTED["users"]


def test_subscriptions_follow_one_another(world: World) -> None:
    of = defaultdict(list)
    bad = 0
    for plan in subscriptions(world):
        assert (plan.status == "cancelled") == (plan.end_date is not None)
        if plan.end_date and plan.end_date < plan.start_date:
            bad += 1
        else:
            of[plan.user_id].append(plan)
    assert bad == PLANTED["subscriptions"]
    for plans in of.values():
        for before, after in pairwise(plans):
            assert before.end_date
            assert before.end_date <= after.start_date
