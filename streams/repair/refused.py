"""What no repair may do by itself."""


class RepairRefused(Exception):
    """The repair would do harm now; says what to do first."""
