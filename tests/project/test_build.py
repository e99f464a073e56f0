"""The name of a build must change with every module that decides what folding gives."""

import ast
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from streams.build import deciding_files

ROOT = Path(str(resources.files("streams"))).parent
#: What folding and deciding start from.
ENTRIES = ("streams/engine/process.py", "streams/state/codec.py", "streams/state/codes.py")


def _imported(path: Path) -> Iterator[Path]:
    """The modules of ours that ``path`` names in an import statement."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            place = ROOT / name.replace(".", "/")
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if name.split(".")[0] in ("schemas", "streams", "producers") and file.is_file():
                    yield file


def test_all_that_folding_imports_is_in_the_digest() -> None:
    found: set[Path] = set()
    left = [ROOT / entry for entry in ENTRIES]
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            left += _imported(path)
    assert len(found) > 30, "the walk itself went wrong"
    inside = {str(path.relative_to(ROOT)) for path in found if path.stat().st_size}
    assert (
        inside - set(deciding_files()) - {"streams/engine/__init__.py", "streams/__init__.py"}
        == set()
    )


def test_templates_decide_nothing() -> None:
    assert (ROOT / "streams/campaigns/templates").is_dir()
    assert [path for path in deciding_files() if "templates" in path] == []
