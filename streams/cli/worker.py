"""`huitou worker`: one worker in the foreground."""

import os
import signal


def worker() -> None:
    """Run one worker until SIGTERM or Ctrl-C, which drain it. Its settings come from HUITOU_*,
    KAFKA_BOOTSTRAP and REDIS_URL; what runs it must restart it when it ends by itself.

    Exit codes: 0 drained; 70 a doubt, start it again; 78 refused, its log says what an operator must do.
    """
    # Before the group is joined nothing is owned, so ending at once is a drained end. Faust takes the
    # signals over when its loop starts.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_before_start)

    from streams.bootstrap import run_worker

    run_worker()


def _end_before_start(*_: object) -> None:
    os._exit(0)  # a client's call may hold the main thread for its time-out
