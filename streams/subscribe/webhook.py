"""Posts triggers to a webhook: a handler for TriggerSubscriber. Needs ``huitou[webhook]``."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Self

import aiohttp
from yarl import URL

from streams.subscribe.errors import RejectTrigger, RetryTrigger, StopSubscribing
from streams.subscribe.received import ReceivedTrigger
from streams.subscribe.signing import Signer

#: The body is the record of shop.triggers, byte for byte.
CONTENT_TYPE: Final = "application/cloudevents+json"
#: This body is wrong for the receiver and stays so. Other 4xx (a wrong route, an old secret, too many
#: requests) say nothing of the trigger, and are mended while it is retried.
_REJECTED: Final = frozenset({400, 413, 415, 422})
_GONE: Final = 410


class EndpointGone(StopSubscribing):
    """The receiver answered 410: it wants no more requests."""


class Webhook:
    """Posts each trigger, signed as Standard Webhooks says. Used in ``async with``.

    2xx within ``timeout`` seconds: handled. 400, 413, 415, 422: a dead letter at once. 410: the subscriber
    ends with EndpointGone. Anything else, also a redirect, is tried again, not before ``Retry-After``.
    ``now`` gives seconds since 1970. Raises ValueError for a URL that is not http or https.
    """

    def __init__(
        self,
        url: str,
        signer: Signer,
        *,
        timeout: float = 15.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = URL(url)
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ValueError("the webhook's URL is not http://HOST or https://HOST with a path")
        self._signer, self._timeout, self._now = signer, timeout, now
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __call__(self, trigger: ReceivedTrigger) -> None:
        """Posts once. Raises RejectTrigger, RetryTrigger or EndpointGone; none quotes URL or secret."""
        if self._session is None:
            raise RuntimeError("a Webhook is used in `async with`")
        body = trigger.record.value or b""
        headers = self._signer.headers(trigger.id, int(self._now()), body)
        try:
            async with self._session.post(
                self._url,
                data=body,
                headers={"content-type": CONTENT_TYPE, "user-agent": "huitou-webhook", **headers},
                allow_redirects=False,
            ) as answer:
                status, after = answer.status, answer.headers.get("retry-after", "")
        except (aiohttp.ClientError, TimeoutError) as error:
            # Its text has the URL, which may have a token in it.
            raise RetryTrigger(f"no answer: {type(error).__name__}") from None
        if 200 <= status < 300:
            return
        if status == _GONE:
            raise EndpointGone(
                "the webhook answered 410 Gone: it wants no more requests; nothing was passed over, "
                "start again with another --url"
            )
        if status in _REJECTED:
            raise RejectTrigger(f"HTTP {status}")
        raise RetryTrigger(f"HTTP {status}", retry_after(after, self._now()))


def retry_after(header: str, now: float) -> float:
    """Seconds from ``now`` (since 1970) of a Retry-After header: a number of seconds, or a date. Else 0."""
    if header.isascii() and header.isdigit():
        # More digits than this is no waiting time anybody means; int() would also refuse 4,301 of them.
        return float(header[:9])
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())
