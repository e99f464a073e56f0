"""What an operator runs after a worker has refused, while none runs; and `skip`, beside those that do."""
