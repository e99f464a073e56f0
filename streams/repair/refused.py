"""How a repair ends that cannot be done."""


class RepairRefused(Exception):
    """The repair would do harm now; says what to do first."""


class RepairDoubt(Exception):
    """A process of the repair ended for a reason that is no refusal, as a server that did not answer."""
