"""What the people who run a worker see: metrics, health and logs."""
