"""Coupon codes that people type: unguessable without the key, the same whenever the trigger is made again.

A code is 16 symbols: which key made it, 14 of HMAC-SHA256 over the trigger id, and a check symbol. There are
29 symbols: no 0 O 1 I L U Z, which are read or heard for others. 29^14 is 2^68: where a hundred million codes
are out, a guess hits one of them once in 3 * 10^12 times, and the chance that any two are equal is 1 in
60,000. That 29^14 does not divide 2^256 favours no code by more than 2^-188 of its chance.

The check symbol makes the sum of all symbols, each times its place (1 to 16), divisible by 29. That is prime
and above 16, so any one wrong symbol and any two exchanged ones, neighbours or not, are noticed; of other
errors 28 in 29. It is for typing errors only: whether a code was issued, only the issuer's record tells.
"""

import hmac
import unicodedata
from collections.abc import Mapping
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXY"
#: Symbols of a code: the key's, the body's, the check's.
LENGTH: Final = 16
#: Bytes of a key: below, it were easier to try keys than codes.
FEWEST_KEY_BYTES: Final = 16

_BASE: Final = len(ALPHABET)
_BODY: Final = LENGTH - 2
_GROUP: Final = 4
_VALUES: Final = {symbol: value for value, symbol in enumerate(ALPHABET)}
#: What people put between groups, as they are normalised.
_BETWEEN: Final = str.maketrans("", "", " -‐–—_.")


class CodeKeyError(ValueError):
    """Keys that no codes can be made with."""


class BadCode(ValueError):
    """This is no code; says what a person may have mistyped. It is a customer's text: print it as such."""


class RetiredKey(BadCode):
    """The code is well formed, but this issuer has no key of that name any more, or not yet."""


class CouponCodes:
    """Makes codes with one key and knows those of the keys before it, until their coupons are over."""

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        """``keys`` by their symbol, of which ``current`` makes new codes. Raises CodeKeyError.

        To rotate: give the new key a symbol that was never used, make it ``current``, and keep the old one
        until the last coupon with it has expired.
        """
        for name, key in keys.items():
            if name not in _VALUES:
                raise CodeKeyError(f"key {name!r}: a key's name is one symbol of {ALPHABET}")
            if len(key) < FEWEST_KEY_BYTES:
                raise CodeKeyError(
                    f"key {name!r} has {len(key)} bytes: take at least {FEWEST_KEY_BYTES} random ones"
                )
        if current not in keys:
            raise CodeKeyError(f"no key {current!r} to make codes with: there are {sorted(keys)}")
        self._keys = dict(keys)
        self._current = current

    def code(self, trigger_id: str) -> str:
        """The code of a trigger, without hyphens: the same in every run with this current key."""
        return self._made(self._current, trigger_id)

    def is_of(self, typed: str, trigger_id: str) -> bool:
        """Whether somebody typed the code of that trigger, made with any key that is known.

        Raises BadCode for what is no code, RetiredKey for one of a key that is not known.
        """
        code = parse(typed)
        if code[0] not in self._keys:
            raise RetiredKey(f"the code was made with key {code[0]!r}, which is not in use")
        return hmac.compare_digest(code, self._made(code[0], trigger_id))

    def _made(self, key: str, trigger_id: str) -> str:
        left = int.from_bytes(hmac.digest(self._keys[key], trigger_id.encode(), "sha256"))
        symbols = [key]
        for _ in range(_BODY):
            left, value = divmod(left, _BASE)
            symbols.append(ALPHABET[value])
        return "".join(symbols) + _check(symbols)


def parse(typed: str) -> str:
    """The code as it was issued, from what a person typed: any case, hyphens and spaces anywhere, full-width
    letters. Raises BadCode."""
    code = unicodedata.normalize("NFKC", typed).upper().translate(_BETWEEN)
    unknown = next((symbol for symbol in code if symbol not in _VALUES), None)
    if unknown is not None:
        raise BadCode(f"{unknown!r} is in no code: they have only {ALPHABET}")
    if len(code) != LENGTH:
        raise BadCode(f"a code has {LENGTH} letters and digits, this has {len(code)}")
    if _sum(code) % _BASE:
        raise BadCode("the code has a typing error: a wrong symbol, or two that were exchanged")
    return code


def grouped(code: str) -> str:
    """As it is printed for people: ``7KXW-R2QB-...``."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def _sum(symbols: str | list[str]) -> int:
    return sum(place * _VALUES[symbol] for place, symbol in enumerate(symbols, 1))


def _check(symbols: list[str]) -> str:
    """The symbol x with sum + 16 x = 0 modulo 29."""
    return ALPHABET[-_sum(symbols) * pow(LENGTH, -1, _BASE) % _BASE]
