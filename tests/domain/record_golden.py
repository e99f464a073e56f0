"""Records examples of the encoding that this build writes; exit code 2 where that was done before.

python -m tests.domain.record_golden    # after STATE_VERSION was raised; then add the lines it prints
"""

import hashlib
import json
import sys
from pathlib import Path

from streams.domain.describe import describe
from streams.state.codec import CODEC_VERSION, encode
from tests.domain.events import SHOP
from tests.domain.sample import golden_states

GOLDEN = Path(__file__).parent / "golden"


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def main() -> int:
    folder = GOLDEN / f"v{CODEC_VERSION}"
    if folder.exists():
        print(f"{folder} is there: what was released is never recorded again", file=sys.stderr)
        return 2
    folder.mkdir()
    for name, state in golden_states().items():
        shown = json.dumps(describe(state, SHOP), indent=1, ensure_ascii=False)
        (folder / f"{name}.msgpack").write_bytes(encode(state))
        (folder / f"{name}.json").write_text(f"{shown}\n", encoding="utf-8")
    print("for RELEASED in tests/domain/test_codec.py:")
    for path in sorted(folder.iterdir()):
        print(f'    "{folder.name}/{path.name}": "{digest_of(path)}",')
    return 0


if __name__ == "__main__":
    sys.exit(main())
