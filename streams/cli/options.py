"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

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
