"""What a merchant asks of the query store: reports, each with its figures and their definitions."""
