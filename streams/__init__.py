"""The worker of the stream: the Faust app, its transport, delivery, health and metrics. It holds no business rule.

An application: it imports the library, and nothing imports it.
"""
