"""Pure: fold(state, event) -> facts. No I/O, no clock, no random numbers."""
