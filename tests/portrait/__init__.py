"""The page about a customer, what became of an event, segments and goals."""
