"""What became of one event, asked of real workers' Kafka and Redis."""
