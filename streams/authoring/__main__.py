"""`python -m streams.authoring`: write what comes of the campaigns' language anew."""

from pathlib import Path

from streams.authoring.templates import SCHEMA_FILE, schema_text


def main() -> None:
    root = Path(__file__).parents[2]
    folder = root / "streams" / "campaigns" / "templates"
    (folder / SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
