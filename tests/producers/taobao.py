"""Where Taobao's sample is, if it is here."""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[3] / "shared" / "data" / "taobao"


def sample_file(name: str = "UserBehavior_815users.csv.gz") -> Path:
    """The path of a file of the sample; skips the test where it is absent."""
    file = Path(os.environ.get("HUITOU_TAOBAO", _BESIDE)) / name
    if not file.exists():
        pytest.skip(f"no {file}: set HUITOU_TAOBAO to the folder of Taobao's sample")
    return file
