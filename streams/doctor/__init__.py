"""Looks at everything that a stack rests on, and says of each what is wrong and what to do."""
