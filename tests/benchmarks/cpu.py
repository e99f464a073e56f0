"""CPU time of processes, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of the process ``pid``, all its threads, ended ones too.

    Raises FileNotFoundError when it is gone. The kernel counts in ticks of 10 ms.
    """
    status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    # The command's name, in brackets, may hold anything. proc(5): fields 14 and 15 are utime, stime.
    fields = status.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


@dataclass(frozen=True)
class Meter:
    """CPU time of several named processes since it was made."""

    pids: dict[str, int]
    began: dict[str, float]

    @classmethod
    def start(cls, pids: dict[str, int]) -> "Meter":
        return cls(pids, {name: cpu_seconds(pid) for name, pid in pids.items()})

    def seconds(self) -> dict[str, float]:
        """By process, what it has used since the start."""
        return {name: cpu_seconds(pid) - self.began[name] for name, pid in self.pids.items()}
