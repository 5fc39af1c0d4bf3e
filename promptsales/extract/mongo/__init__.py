"""MongoDB through Kafka: what changed in a collection becomes hashed rows, those go onto a topic and into staging."""
