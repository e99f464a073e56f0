"""The engine itself against a Kafka and a Redis in memory: one seed is one schedule of faults."""
