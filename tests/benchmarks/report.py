"""Benchmarks' results: medians, tables, JSON."""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

#: Columns of a table that goes to a file.
_WIDTH = 120
#: Tables and progress; standard output is for JSON where that is asked for.
console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH)


def say(words: str) -> None:
    """Progress."""
    console.print(words, style="dim", markup=False)


def middle(values: Iterable[float]) -> float:
    return statistics.median(values)


def machine() -> dict[str, object]:
    """What the figures were measured on, and how busy that was."""
    return {
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "faust-streaming": version("faust-streaming"),
    }


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table; the first column is text, the others are figures."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        shown.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        shown.add_row(*(_cell(value) for value in row))
    console.print(shown)


def write(result: Mapping[str, object], path: str | None) -> None:
    """``path``: a file, "-" for standard output, None for nowhere."""
    text = json.dumps({**result, "machine": machine()}, indent=2, ensure_ascii=False)
    if path == "-":
        sys.stdout.write(text + "\n")
    elif path is not None:
        Path(path).write_text(text + "\n", encoding="utf-8")


def command(
    document: str | None,
    measure: Callable[[int, int], dict[str, Any]],
    show: Callable[[dict[str, Any]], None],
    events: int,
) -> int:
    """What ``python -m`` of a benchmark of ``events`` does; exit code 1 where its target is missed."""
    parser = argparse.ArgumentParser(
        description=document, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=events, help="of the first four topics")
    parser.add_argument("--repetitions", type=int, default=5, help="of each, interleaved")
    parser.add_argument("--json", metavar="FILE", help='"-": standard output')
    options = parser.parse_args()
    result = measure(options.events, options.repetitions)
    show(result)
    write(result, options.json)
    return 0 if result["met"] else 1


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
