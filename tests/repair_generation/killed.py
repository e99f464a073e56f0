"""A repartition that kills or freezes itself, as a process of its own.

``python -m tests.repair_generation.killed PARTITIONS NUMBER STEP N [STOP]``: SIGKILL (or SIGSTOP) strikes
at the N-th report of progress within STEP, which comes at the beginning of a step and before whatever it
writes counts. Batches are small, so that steps have several. Exit code 0: the step was over before.
"""

import signal
import sys
import threading

from streams.repair import repartition_forward, repartition_origin
from streams.repair.generation import successor_of
from streams.repair.repartition import Repartition
from streams.settings import Settings


def main(partitions: int, number: int, step: str, occurrence: int, strike: str = "KILL") -> None:
    repartition_origin.RECORDS = 15
    repartition_origin.COMMIT_STATES = 6
    repartition_forward.RECORDS = 15
    left = occurrence

    def progress(reported: str, done: int, of: int) -> None:
        nonlocal left
        print(f"{reported} {done} of {of}", flush=True)
        left -= reported == step
        if not left:
            # To this thread: another one may take a signal to the process, and this one goes on meanwhile.
            signal.pthread_kill(threading.get_ident(), signal.Signals[f"SIG{strike}"])

    settings = Settings()
    with Repartition(settings, successor_of(settings, number, partitions), progress) as command:
        if step == "finish":
            command.finish()
        else:
            command.run(forward=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
