"""What an operator runs after a worker has refused: nothing here runs while workers do."""
