"""The event bus (Kafka)."""
