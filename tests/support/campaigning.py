"""PromptAds at work: measurements, corrections and deletes, in transactions of its own."""

from itertools import cycle
from threading import Event, Thread
from types import TracebackType
from typing import Self

import psycopg

from promptsales.settings import Settings

CAMPAIGNS = 8

_OWNER = """
    insert into promptsales.users (email, password_hash, role)
    values (gen_random_uuid() || '@example.com', 'x', 'viewer')
    returning id
"""
_CAMPAIGN = """
    insert into promptads.campaigns (user_id, name, objective, budget, status, start_date, end_date)
    select %s, 'c' || n, 'conversions', 40, 'active', now(), now() + interval '9 days' from generate_series(1, %s) n
"""
_MEASURE = """
    insert into promptads.campaign_metrics (campaign_id, timestamp, impressions, clicks, spend, conversions)
    select id, (now() at time zone 'UTC') - make_interval(secs => floor(random() * 300)), 90, 9, 0.25, 1
    from promptads.campaigns order by random() limit 5
"""
_CORRECT = """
    update promptads.campaign_metrics
    set spend = spend + 0.5, clicks = clicks + 1, timestamp = timestamp - interval '2 minutes',
        campaign_id = (select id from promptads.campaigns order by random() limit 1)
    where id in (select id from promptads.campaign_metrics order by random() limit 2)
"""
_DELETE = "delete from promptads.campaign_metrics where id = (select min(id) from promptads.campaign_metrics)"


def start_campaigns(stack: Settings) -> None:
    """A few campaigns with a small budget."""
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as core:
        owner = core.execute(_OWNER).fetchone()
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute(_CAMPAIGN, [*(owner or ()), CAMPAIGNS])


class Working:
    """The application, writing in a thread until the block ends; it connects again when its database was away."""

    def __init__(self, stack: Settings) -> None:
        self._stack, self._done = stack, Event()
        self._thread = Thread(target=self._work)
        self._kinds = cycle((_MEASURE, _MEASURE, _CORRECT, _MEASURE, _MEASURE, _CORRECT, _MEASURE, _DELETE))
        self.commits = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._done.is_set():
            try:
                with psycopg.connect(self._stack.address("promptads"), autocommit=True, connect_timeout=2) as ads:
                    while not self._done.wait(0.01):
                        self._one(ads)
            except psycopg.OperationalError:
                self._done.wait(0.2)

    def _one(self, ads: psycopg.Connection) -> None:
        ads.execute(next(self._kinds).encode())
        self.commits += 1
