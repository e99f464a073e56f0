"""Coupon codes: unguessable without the key, the same whenever the trigger is made again."""

import base64
import hashlib
import hmac


class BadSettings(ValueError):
    """A setting without which nothing may be issued is missing; names it."""


class CouponCodes:
    """A code is 12 letters and digits (60 bits) of HMAC-SHA256 over the trigger id."""

    LENGTH = 12

    def __init__(self, key: str, key_id: str) -> None:
        """Raises BadSettings for an empty key: codes made with it could be guessed by anybody."""
        if not key:
            raise BadSettings("HUITOU_CODE_KEY is not set; coupon codes need a secret of their own")
        self._key = key.encode()
        self.key_id = key_id

    def code(self, trigger_id: str) -> str:
        digest = hmac.new(self._key, trigger_id.encode(), hashlib.sha256).digest()
        return base64.b32encode(digest).decode()[: self.LENGTH]
