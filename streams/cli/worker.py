"""`huitou worker`: one worker in the foreground."""


def worker() -> None:
    """Run one worker until SIGTERM or Ctrl-C, which drain it. Its settings come from HUITOU_*,
    KAFKA_BOOTSTRAP and REDIS_URL; what runs it must restart it when it ends by itself."""
    from streams.bootstrap import run_worker

    run_worker()
