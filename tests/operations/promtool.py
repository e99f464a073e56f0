"""Prometheus's own check of what a scrape gets, where its tool is installed."""

import os
import shutil
import subprocess


def has_promtool() -> bool:
    """Whether PATH has it. CI=true says that it must: AssertionError where it is missing."""
    found = shutil.which("promtool") is not None
    assert found or os.environ.get("CI") != "true", "CI has no promtool: .ci/run provides it"
    return found


def check_metrics(exposition: bytes) -> None:
    """Fails where `promtool check metrics` rejects the text, or has a complaint of a name of ours."""
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        check=False,
        input=exposition,
        capture_output=True,
        timeout=60,
    )
    said = done.stderr.decode()
    assert done.returncode == 0, said
    # Names of process_* are prometheus-client's own.
    assert [line for line in said.splitlines() if line.startswith("shop_")] == []
