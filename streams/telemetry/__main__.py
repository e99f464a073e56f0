"""`python -m streams.telemetry`: write the documents and rule files that come of the catalogue."""

from pathlib import Path

from streams.telemetry.document import document, objectives_document
from streams.telemetry.grafana import dashboard_files
from streams.telemetry.rules import rule_files


def main() -> None:
    root = Path(__file__).parents[2]
    (root / "docs" / "metrics.md").write_text(document(), encoding="utf-8")
    (root / "docs" / "slo.md").write_text(objectives_document(), encoding="utf-8")
    for name, text in rule_files().items():
        (root / "deploy" / "prometheus" / "rules" / name).write_text(text, encoding="utf-8")
    for name, text in dashboard_files().items():
        (root / "deploy" / "grafana" / "dashboards" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
