"""Folds a file of events with whatever `streams` is first on PYTHONPATH, and prints what it cost, as JSON.

python -P tests/benchmarks/fold_run.py FILE ROUNDS

A line of FILE is a topic, a key and a value, as JSON. Only what every build of the domain has had is used.
"""

import gc
import json
import sys
import time
from pathlib import Path

import streams
from schemas.decoding import Decoded, Decoder, RawRecord
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import new_state
from streams.state.codec import decode, encode


def main() -> None:
    path, rounds = Path(sys.argv[1]), int(sys.argv[2])
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    decoder = Decoder(1, {topic: topic for topic in {topic for topic, _, _ in records}})
    events = []
    for offset, (topic, key, value) in enumerate(records):
        # No event is too far in the future.
        found = decoder.decode(
            RawRecord(topic, 0, offset, 1 << 45, key.encode(), value.encode()), 0
        )
        if not isinstance(found, Decoded):
            raise SystemExit(f"line {offset + 1} is a dead letter: {found}")
        events.append((found.event, found.time_ms))
    shop = ShopSettings(events[0][0].data.shop_id, "Asia/Shanghai", "CNY")
    fold_us, state_us = [], []
    for _ in range(rounds):
        states = {event.subject: new_state(shop.shop_id, event.subject) for event, _ in events}
        gc.collect()
        gc.disable()
        began = time.process_time()
        for event, at in events:
            fold(states[event.subject], event, at, shop)
        folded = time.process_time()
        for state in states.values():
            decode(encode(state))
        done = time.process_time()
        gc.enable()
        fold_us.append((folded - began) / len(events) * 1e6)
        state_us.append((done - folded) / len(states) * 1e6)
    # What other processes of the machine add is never negative.
    ran = str(streams.__file__)
    print(json.dumps({"fold_us": min(fold_us), "state_us": min(state_us), "ran": ran}))


if __name__ == "__main__":
    main()
