"""The stream: change events of Debezium from Kafka into the warehouse, one transaction a batch, then live counters."""
