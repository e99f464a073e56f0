"""No report reads orders past streams.reports.honest but the one that is about those left out."""

import ast
from pathlib import Path

import streams.reports

_FOLDER = Path(streams.reports.__file__).parent
#: About brushed orders, and where the honest ones come from.
_ALLOWED = {"brushing.py", "honest.py"}


def _names_taken(path: Path) -> set[str]:
    """What a module takes from the store's tables, and how it names the module itself."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "streams.query.tables":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "streams.query":
            found |= {f"query.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_reports_take_orders_from_the_honest_ones() -> None:
    taken = {path.name: _names_taken(path) for path in _FOLDER.glob("*.py")}
    whole_table = {"orders", "query.tables", "streams.query.tables"}
    assert {name for name, names in taken.items() if names & whole_table} == _ALLOWED
    assert sum("order_events" in names for names in taken.values()) > 0, "the names are found"
