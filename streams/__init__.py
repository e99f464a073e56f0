"""The processor: Kafka topics in, exactly-once customer state in Redis, coupons out."""
