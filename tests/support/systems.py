"""The operational systems, emptied."""

from typing import Any

import psycopg
import redis
from pymongo import MongoClient

from promptsales.settings import Settings


def empty(stack: Settings) -> None:
    """Leave no row of sample data in any system."""
    with psycopg.connect(stack.address("promptads")) as connection:
        connection.execute("truncate promptads.campaigns cascade")
        connection.execute("truncate promptads.ad_metrics")
    with psycopg.connect(stack.address("promptcrm")) as connection:
        connection.execute("truncate crm.accounts, crm.contacts, crm.leads, crm.pipeline_stages cascade")
    with psycopg.connect(stack.address("promptsales")) as connection:
        connection.execute("delete from promptsales.subscriptions")
        connection.execute("delete from promptsales.users")
    with MongoClient[dict[str, Any]](stack.address("promptcontent")) as client:
        for name in ("content_assets", "prompt_history"):
            client.get_default_database()[name].delete_many({})
    with redis.Redis.from_url(stack.address("redis")) as cache:
        cache.flushdb()
