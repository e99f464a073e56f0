"""Runs the console command in a process of its own."""

import os
import subprocess
import sys

from streams.settings import Settings

#: Longer than any command of these tests takes on a busy machine.
SECONDS = 200


def environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "HUITOU_TOPIC_PREFIX": settings.topic_prefix,
    }


def huitou(
    settings: Settings, *arguments: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Runs ``huitou`` with ``arguments`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli.main", *arguments],
        env=environment(settings),
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )


def start_huitou(settings: Settings, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts ``huitou`` with ``arguments``; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "streams.cli.main", *arguments],
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
