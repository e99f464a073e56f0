"""Pure: decide(state, facts) -> triggers. No I/O, no clock, no random numbers."""
