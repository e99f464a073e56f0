"""The contract: every topic's records, importable alone, without Kafka or Redis."""
