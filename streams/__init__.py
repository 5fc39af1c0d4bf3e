"""The worker of the stream: the Faust app, its transport, delivery, health and metrics. No business rule lives here.

An application: it imports the library, and nothing imports it.
"""
