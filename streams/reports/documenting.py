"""The reports' part of docs/reports.md: `python -m streams.reports.documenting` prints it."""

from collections.abc import Iterator

from streams.reports.registry import REPORTS

#: In docs/reports.md, before what this module writes.
MARK = "<!-- From here on written by python -m streams.reports.documenting. -->"


def markdown() -> str:
    """Every report with its dimensions and figures."""
    return "\n".join([MARK, *_lines()])


def _lines() -> Iterator[str]:
    for report in REPORTS.values():
        own = f" Without it: {report.by}." if report.by else ""
        yield f"\n### {report.name}: {report.title}\n"
        yield f"`--by` {', '.join(report.dimensions)}.{own}"
        yield from (f"\n{note}" for note in report.notes)
        yield "\n| figure | unit | what it is | from | parts add up |\n|---|---|---|---|---|"
        for figure in report.figures:
            cells = (figure.name, figure.unit, figure.definition, figure.source)
            yield f"| {' | '.join(cells)} | {'yes' if figure.additive else 'no'} |"


if __name__ == "__main__":
    print(markdown())
