"""Read MongoDB through Kafka: changed documents become hashed rows, which go to a topic and from there to staging."""
