"""`python -m streams.authoring`: write what comes of the campaigns' language anew."""

from pathlib import Path

from streams.authoring.document import with_parts
from streams.authoring.templates import SCHEMA_FILE, schema_text


def main() -> None:
    root = Path(__file__).parents[2]
    folder = root / "streams" / "campaigns" / "templates"
    (folder / SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")
    page = root / "docs" / "campaigns.md"
    page.write_text(with_parts(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
