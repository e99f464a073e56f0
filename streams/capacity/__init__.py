"""How large a stack has to be: arithmetic over what was measured and what is assumed. No I/O."""
