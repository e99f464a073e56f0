"""Logs of a worker: one JSON object a line on standard error, or readable lines on a terminal.

Our own events and those of Faust, aiokafka and the rest come out in the same place and form.
Faust replaces sys.stdout and sys.stderr by its own log; lines go past it to the real stream.
A log holds no customer data: fields that could are withheld, whoever adds them.
"""

import logging
import sys
from collections.abc import Sequence
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

#: Fields that name a customer or hold what one said, did or may spend.
WITHHELD = frozenset(
    {"customer", "customer_id", "subject", "key", "value", "text", "remark", "code", "coupon"}
)
#: Libraries whose info lines repeat what the worker says itself, at every rebalance.
QUIET = ("aiokafka", "kafka", "faust.transport", "asyncio", "mode")

#: Without local variables: those of a fold are a customer.
_TRACEBACK = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


def configure(level: str = "info", json: bool | None = None, stream: TextIO | None = None) -> None:
    """Sets up structlog and the standard library's logging for this process.

    ``level`` is debug, info, warning, error or critical (else ValueError). ``json`` None: JSON
    unless ``stream`` (standard error by default) is a terminal. The last call counts.
    """
    if level.lower() not in LEVELS:
        raise ValueError(f"log level {level!r}: choose one of {', '.join(LEVELS)}")
    threshold = LEVELS[level.lower()]
    # sys.__stderr__ is None only in a process that was started without one.
    target = stream or sys.__stderr__ or sys.stderr
    as_json = not target.isatty() if json is None else json
    shared = _shared(as_json)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *shared, *_render(as_json, target)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        # Off, so that a second configure (a test, a subcommand) reaches every module's logger.
        cache_logger_on_first_use=False,
    )
    logging.root.handlers[:] = [_standard_handler(shared, as_json, target)]
    logging.root.setLevel(threshold)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


def standard_handlers() -> Sequence[logging.Handler]:
    """The handlers that Faust is to use instead of its own (``App(loghandlers=...)``)."""
    return list(logging.root.handlers)


def withhold(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Blanks the fields of ``WITHHELD``: a safety net, not the way to keep data out of a log."""
    for name in WITHHELD.intersection(event):
        event[name] = "[withheld]"
    return event


def _shared(as_json: bool) -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
        withhold,
    ]


def _render(as_json: bool, target: TextIO) -> list[Processor]:
    if as_json:
        return [
            structlog.processors.EventRenamer("message"),
            structlog.processors.ExceptionRenderer(_TRACEBACK),
            structlog.processors.JSONRenderer(serializer=_dumps),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _standard_handler(shared: list[Processor], as_json: bool, target: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_render(as_json, target),
            ],
        )
    )
    return handler


def _dumps(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()
