"""Where the files of Taobao's sample are, if they are here: HUITOU_TAOBAO names their folder."""

import os
from pathlib import Path

import pytest

#: All behaviour of 815 customers in nine days.
CUSTOMERS_FILE = "UserBehavior_815users.csv.gz"
#: All customers' behaviour in two hours.
TWO_HOURS_FILE = "UserBehavior_2hours.csv.gz"

_BESIDE = Path(__file__).parents[2] / "shared" / "data" / "taobao"


def sample_path(name: str = CUSTOMERS_FILE) -> Path:
    """Where the file would be; without HUITOU_TAOBAO in a folder beside the repository."""
    return Path(os.environ.get("HUITOU_TAOBAO") or _BESIDE) / name


def sample_file(name: str = CUSTOMERS_FILE) -> Path:
    """The file's path; skips the test where it is absent."""
    path = sample_path(name)
    if not path.exists():
        pytest.skip(f"no {path}: set HUITOU_TAOBAO to the folder of Taobao's sample")
    return path
