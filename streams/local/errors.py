"""What can go wrong with the local stack; each message says what to do next."""


class LocalStackError(Exception):
    """The local stack cannot do what was asked; the message says why and what to do."""


class MissingToolError(LocalStackError):
    """A program is not on PATH and could not be installed here."""


class StartError(LocalStackError):
    """A server did not come up; the message ends with the last lines of its log."""
