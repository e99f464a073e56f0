"""shop.settings: a shop's definitions; one partition, kept for ever, read whole by every worker."""

from typing import Annotated

import msgspec

from schemas.envelope import Envelope, Moment, ShopId

#: The shop id that stands for the whole stack: its values are every shop's defaults.
STACK = "_stack"


class Settings(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """``lateness_s`` is read from the stack's own record only: one watermark serves all shops."""

    shop_id: ShopId
    version: Annotated[int, msgspec.Meta(ge=1)]
    effective_from: Moment
    #: An IANA name, as Asia/Shanghai.
    time_zone: str | None = None
    #: An ISO 4217 code, as CNY.
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")] | None = None
    lateness_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None


class SettingsEvent(Envelope, tag="shop.settings.v1"):
    data: Settings
