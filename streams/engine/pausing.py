"""Why a partition is paused: what its fold raised at, and what an operator may have left out instead."""

import msgspec

from schemas.clock import RecordCause, SkipCause
from streams.engine.draft import FoldError


class Paused(msgspec.Struct, frozen=True):
    """Nothing of the partition is folded until ``cause`` is skipped, or another build takes over."""

    #: None: the state itself raised, and leaving out one record or timer would not help.
    cause: SkipCause | None
    #: For people; names no customer.
    error: str

    @classmethod
    def by(cls, error: FoldError) -> "Paused":
        return cls(error.cause, str(error))

    @property
    def reason(self) -> str:
        """For /readyz and the log: what happened and what to do."""
        if self.cause is None:
            return f"folding failed at {self.error}; deploy a build that can fold it"
        return (
            f"folding failed at {self.error}; deploy a build that can fold it, or have it left out: "
            "`huitou skip` prints the command"
        )


encode_paused = msgspec.json.Encoder().encode
decode_paused = msgspec.json.Decoder(Paused).decode


def described(cause: SkipCause) -> str:
    """A cause for the log; names no customer."""
    if isinstance(cause, RecordCause):
        return f"{cause.topic}@{cause.offset}"
    return f"timer {cause.kind} due {cause.due}"
