"""The draw as docs/prizes.md prints it, for whoever does not trust huitou: nothing of huitou is imported."""

import hashlib
import hmac


def recompute(terms, seed_hex, customer, number):
    seed = bytes.fromhex(seed_hex)
    assert hashlib.sha256(seed).hexdigest() == terms["commitment"], "another seed"
    total = sum(prize["weight"] for prize in terms["prizes"])
    attempt = 0
    while True:
        parts = [terms["campaign"], customer, str(number), terms.get("beacon", ""), str(attempt)]
        digest = hmac.new(seed, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()
        if int(digest, 16) < 2**256 // total * total:
            break
        attempt += 1
    ticket = int(digest, 16) % total
    for prize in terms["prizes"]:
        ticket -= prize["weight"]
        if ticket < 0:
            break
    return prize["name"]
