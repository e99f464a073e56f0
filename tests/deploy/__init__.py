"""What deploy/ ships, checked without an engine that could run it."""
