"""The topics as Parquet files, for longer than Kafka keeps them, and both read as one log."""
