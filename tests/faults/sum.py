"""The reports of several runs as one: Markdown tables and one closing line; exit code as of a run.

python -m tests.faults.sum first.json second.json
"""

import argparse
import sys
from pathlib import Path

from tests.faults.report import Report


def main(arguments: list[str] | None = None) -> int:
    """``arguments``: the files; None: those of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="+", type=Path, help="of `make faults ARGS='--json FILE'`")
    given = parser.parse_args(arguments)
    try:
        report = Report.sum_of([Report.read(path) for path in given.file])
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(report.markdown(), "", sep="\n")
    for words in [*report.problems, *report.examples]:
        print(words)
    print(report.line())
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
