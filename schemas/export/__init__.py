"""The contract for other languages: JSON Schema of every type and an AsyncAPI 3 document.

Generated from the structs by ``python -m schemas.export`` and committed; a test fails when stale.
"""

import json
from pathlib import Path
from typing import Any, Final

from schemas.export.asyncapi import asyncapi
from schemas.export.json_schema import json_schemas

FOLDER: Final = Path(__file__).parent


def documents() -> dict[str, str]:
    """File name to text of every generated document."""
    named: dict[str, dict[str, Any]] = {
        f"{name}.schema.json": schema for name, schema in json_schemas().items()
    }
    named["asyncapi.json"] = asyncapi()
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in named.items()
    }


def export(folder: Path = FOLDER) -> list[Path]:
    """Write every document into ``folder`` and remove those of types that are gone.

    Returns the paths written.
    """
    texts = documents()
    for stale in folder.glob("*.json"):
        if stale.name not in texts:
            stale.unlink()
    written = []
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
