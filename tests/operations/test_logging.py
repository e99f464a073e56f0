"""Lines as an operator and a log collector get them, from a process of their own."""

import json
import subprocess
import sys

import pytest

from streams.operations.logging import configure


def _run(body: str, *arguments: str) -> list[str]:
    """The lines on standard error of a process that runs ``body``; standard output stays empty."""
    done = subprocess.run(
        [sys.executable, "-c", body, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()


HEADER = "import logging, structlog\nfrom streams.operations.logging import configure\n"


def test_each_line_is_one_json_object_with_time_level_and_message() -> None:
    lines = _run(
        HEADER + "configure('info', json=True)\n"
        "structlog.get_logger().info('worker started', partitions=[0, 1], port=8000)\n"
    )
    (line,) = [json.loads(line) for line in lines]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info", "message": "worker started", "partitions": [0, 1], "port": 8000,
    }  # fmt: skip


def test_libraries_logs_come_out_in_the_same_form() -> None:
    lines = _run(
        HEADER + "configure('info', json=True)\n"
        "logging.getLogger('faust.app').warning('agent %s', 'died')\n"
        "logging.getLogger('aiokafka.consumer').info('chatter')\n"
    )
    (line,) = [json.loads(line) for line in lines]
    assert (line["logger"], line["level"], line["message"]) == (
        "faust.app",
        "warning",
        "agent died",
    )


def test_the_level_holds() -> None:
    body = HEADER + (
        "import sys\nconfigure(sys.argv[1], json=True)\nlog = structlog.get_logger()\n"
        "log.debug('a'); log.info('b'); log.warning('c')\n"
    )
    assert [json.loads(line)["message"] for line in _run(body, "debug")] == ["a", "b", "c"]
    assert [json.loads(line)["message"] for line in _run(body, "WARNING")] == ["c"]


def test_an_unknown_level_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"loud.*debug, info"):
        configure("loud")


def test_customer_data_is_withheld_whoever_adds_it() -> None:
    lines = _run(
        HEADER + "configure('info', json=True)\n"
        "structlog.get_logger().info('x', customer_id='c-77', code='SECRET', seq=4)\n"
    )
    assert "c-77" not in lines[0]
    assert "SECRET" not in lines[0]
    assert json.loads(lines[0])["seq"] == 4


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_shows_no_local_variables(as_json: bool) -> None:
    lines = _run(
        HEADER + f"configure('info', json={as_json})\n"
        "def fold(customer='c-77'):\n    raise KeyError('sku')\n"
        "try:\n    fold()\nexcept KeyError:\n"
        "    structlog.get_logger().exception('fold raised')\n"
    )
    text = "\n".join(lines)
    assert "KeyError" in text
    assert "c-77" not in text
    if as_json:
        (line,) = [json.loads(line) for line in lines]
        assert line["exception"][0]["exc_type"] == "KeyError"


def test_lines_go_past_a_redirected_standard_error() -> None:
    """Faust replaces both streams by a log, whose lines would come back here for ever."""
    lines = _run(
        HEADER + "from mode.utils.logging import redirect_stdouts\n"
        "configure('info', json=True)\n"
        "with redirect_stdouts(severity='WARN'):\n"
        "    structlog.get_logger().info('ours')\n"
        "    print('printed')\n"
    )
    messages = [json.loads(line)["message"] for line in lines]
    assert messages == ["ours", "printed"]


def test_without_json_lines_are_for_people() -> None:
    (line,) = _run(
        HEADER + "configure('info', json=False)\nstructlog.get_logger().info('hi', p=3)\n"
    )
    assert "hi" in line
    assert "p=3" in line


def test_json_is_the_default_where_no_terminal_is() -> None:
    (line,) = _run(HEADER + "configure()\nstructlog.get_logger().info('hi')\n")
    assert json.loads(line)["message"] == "hi"
