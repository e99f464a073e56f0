"""Walking over keys in Redis, which goes on serving meanwhile."""

#: Keys that Redis looks at in one step of a walk; a step takes it well below a millisecond.
SCAN_STEP = 1_000


def escape_pattern(text: str) -> str:
    """``text`` as a Redis glob pattern that matches nothing but itself.

    >>> escape_pattern("a*b")
    'a\\\\*b'
    """
    return "".join(f"\\{letter}" if letter in "*?[]\\^" else letter for letter in text)
