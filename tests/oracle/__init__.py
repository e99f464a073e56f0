"""What must come out, computed apart: shares no code with the engine, the domain or the contract.

Written from docs/decisions/0002-abandoned-cart.md and the contract's text alone; plain Python over
what was published, so that a mistake in the code cannot hide in the test.
"""
