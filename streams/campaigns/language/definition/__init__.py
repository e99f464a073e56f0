"""A campaign's definition: its parts as structs, what must hold between them, and its version."""
