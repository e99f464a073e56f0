"""The local stack: Apache Kafka from Maven's jars and Redis, for development, demo and tests."""
