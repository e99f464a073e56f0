"""Tests read as the specification; real Kafka, real Redis, no sleeps."""
