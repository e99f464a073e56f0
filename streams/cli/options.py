"""Options that several commands have, and what holds for all of them."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.endings import EXIT_USAGE

#: A folder that `huitou archive` has filled.
FromArchive = Annotated[
    Path | None,
    typer.Option(
        "--archive",
        exists=True,
        file_okay=False,
        help="Read what the topics no longer have from this archive.",
    ),
]

#: Of commands with --from and --to.
Zone = Annotated[
    str | None, typer.Option(metavar="NAME", help="The clock of --from and --to: Asia/Shanghai.")
]
#: Of commands that answer a page at a time.
NextPage = Annotated[
    str | None, typer.Option(metavar="PAGE", help="The next page, as the one before it named it.")
]


def require_text(command: str, **arguments: str | None) -> None:
    """Ends ``huitou <command>`` where one of its ``arguments`` is not UTF-8 and so names nothing."""
    for name, value in arguments.items():
        try:
            (value or "").encode()
        except UnicodeEncodeError:
            option = name.upper() if name.endswith("_id") else f"--{name}"
            typer.echo(f"huitou {command}: {option} is not UTF-8", err=True)
            raise typer.Exit(EXIT_USAGE) from None
