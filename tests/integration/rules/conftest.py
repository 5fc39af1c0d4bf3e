"""Rules are tried on a warehouse of their own."""

from tests.support.own_warehouse import admin, connect, warehouse

__all__ = ["admin", "connect", "warehouse"]
