"""What a worker may take, whatever comes: memory within bounds that its own constants give."""
