"""Where a worker's CPU goes: by thread, and by function of those that hold the interpreter."""

import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

#: Samples a second; py-spy reads the process without stopping it.
_RATE = 150
#: Functions named for each thread, threads named, and functions named by their own time.
_FUNCTIONS = 12
_THREADS = 4
_OWN = 30


class ProfileError(Exception):
    """py-spy is not there or may not look at the process; the message has its own words."""


@dataclass(frozen=True)
class Profile:
    """Shares are of all samples: ``threads`` by name; ``functions`` with all that they call, by thread;
    ``own``: functions without what they call, whatever the thread."""

    samples: int
    threads: dict[str, float]
    functions: dict[str, dict[str, float]]
    own: dict[str, float]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def profile(pid: int, seconds: int) -> Profile:
    """Samples the process for ``seconds``. Raises ProfileError."""
    with tempfile.TemporaryDirectory(prefix="huitou-profile-") as folder:
        raw = Path(folder) / "raw"
        command = [
            str(Path(sys.executable).with_name("py-spy")), "record", "--pid", str(pid),
            "--duration", str(seconds), "--rate", str(_RATE), "--threads", "--gil", "--nonblocking",
            "--function", "--format", "raw", "--output", str(raw),
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=seconds + 60
            )
        except FileNotFoundError:
            raise ProfileError("py-spy is not installed: pip install py-spy") from None
        if done.returncode != 0 or not raw.exists():
            raise ProfileError(f"py-spy: {done.stderr.strip()[-300:]}")
        return _read(raw.read_text(encoding="utf-8"))


def _read(raw: str) -> Profile:
    """py-spy's raw format: ``thread;frame;frame count``, outermost frame first."""
    threads: Counter[str] = Counter()
    functions: dict[str, Counter[str]] = {}
    own: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        name = thread.rpartition(": ")[2]
        threads[name] += int(count)
        inclusive = functions.setdefault(name, Counter())
        own[frames[-1] if frames else name] += int(count)
        for frame in set(frames):
            inclusive[frame] += int(count)
    total = max(1, threads.total())

    def shares(counts: Counter[str], most: int) -> dict[str, float]:
        return {name: round(count / total, 4) for name, count in counts.most_common(most)}

    return Profile(
        threads.total(),
        shares(threads, len(threads)),
        {
            name: shares(_ours(functions[name], threads[name]), _FUNCTIONS)
            for name, _ in threads.most_common(_THREADS)
        },
        shares(own, _OWN),
    )


def _ours(counts: Counter[str], whole: int) -> Counter[str]:
    """Without the frames that every sample of the thread has: they say nothing."""
    return Counter({name: count for name, count in counts.items() if count < 0.9 * whole})
