"""How large a stack has to be."""
