"""Sending notices: to the log, or to a webhook signed after the Standard Webhooks scheme (https://www.standardwebhooks.com).

A notice is sent until it arrives, with growing pauses; one that does not is given up and shown among the tasks. It may arrive
twice, under one id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from datetime import timedelta

from ..access.people import require
from ..audit import records
from ..clock import Clock, fresh_id, utc_now
from ..errors import AssentError
from ..store import notices
from ..store.control_models import NoticeRow
from ..store.session import Store
from .notices import Notice, Notifier, notice_of

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 21_600))
"""How long to wait after each attempt that failed; after the last pause and one more attempt the notice is given up."""

TIMEOUT_SECONDS = 10.0
SHORTEST_SECRET = 24

log = logging.getLogger("assent")


class NotDelivered(AssentError):
    """The notice did not arrive."""


async def to_log(notice: Notice) -> None:
    """Write a notice to the log `assent`: the notifier of a desk that was given none."""
    log.info("notice %s (%s): %s", notice.kind, notice.id, notice.text)


class Webhook:
    """Posts notices as JSON to an address, signed; anything but a 2xx answer within ten seconds counts as not arrived."""

    def __init__(self, url: str, secret: str, clock: Clock = utc_now, timeout: float = TIMEOUT_SECONDS) -> None:
        if not url.startswith(("https://", "http://")):
            raise AssentError("A webhook's address begins with https:// (or http:// inside your own network).")
        self._url, self._key, self._clock, self._timeout = url, _key(secret), clock, timeout

    async def __call__(self, notice: Notice) -> None:
        """Send a notice; raises NotDelivered."""
        import httpx

        body = json.dumps({"type": f"assent.{notice.kind}", "id": notice.id, "tenant": notice.tenant, "data": notice.body})
        headers = self.signed(notice.id, body.encode())
        try:
            async with httpx.AsyncClient(timeout=self._timeout) as client:
                answer = await client.post(self._url, content=body.encode(), headers=headers)
        except httpx.HTTPError as error:
            raise NotDelivered(f"the webhook cannot be reached ({type(error).__name__})") from None
        if not answer.is_success:
            raise NotDelivered(f"the webhook answered {answer.status_code}")

    def signed(self, notice_id: str, body: bytes) -> dict[str, str]:
        """Return the headers of a request: id, time and signature over both and the body."""
        moment = str(int(self._clock().timestamp()))
        mac = hmac.new(self._key, f"{notice_id}.{moment}.".encode() + body, hashlib.sha256).digest()
        return {
            "content-type": "application/json",
            "webhook-id": notice_id,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }


def _key(secret: str) -> bytes:
    """Return the key behind a secret: base64 after `whsec_`, as the scheme writes it, or any text that is long enough."""
    if not secret.startswith("whsec_"):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise AssentError("The webhook's secret is not base64 after whsec_.") from None
    if len(key) < SHORTEST_SECRET:
        raise AssentError(
            f"The webhook's secret is too short: {SHORTEST_SECRET} bytes at least, as `openssl rand -base64 32` makes."
        )
    return key


def notifier_of(environment: Mapping[str, str], clock: Clock) -> Notifier:
    """Return the notifier that the environment names: `ASSENT_WEBHOOK_URL` with `ASSENT_WEBHOOK_SECRET`, else the log."""
    url = environment.get("ASSENT_WEBHOOK_URL", "")
    return Webhook(url, environment.get("ASSENT_WEBHOOK_SECRET", ""), clock) if url else to_log


async def resend(store: Store, clock: Clock, notice_id: str, actor: str) -> None:
    """Let a notice that was given up be tried again."""
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        row = await notices.get(tx, notice_id)
        if row is None or row.tenant != user.tenant or not await notices.again(tx, notice_id, clock()):
            raise AssentError("There is no such notice among those that could not be sent.")
        records.about(tx, row.tenant, clock(), "notice.again", actor, notice_id, {"kind": row.kind, "review": row.review})


class Sender:
    """Sends what is in the notices' outbox, one by one, each under a lease."""

    def __init__(self, store: Store, clock: Clock, tenant: str, notifier: Notifier) -> None:
        self._store, self._clock, self._tenant, self._notifier = store, clock, tenant, notifier
        self._owner = fresh_id("sender")

    async def __call__(self) -> int:
        """Send the notice that is due the longest; returns 1 if there was one."""
        async with self._store.read() as tx:  # a look costs no write lock
            if not await notices.is_due(tx, self._tenant, self._clock()):
                return 0
        async with self._store.begin() as tx:
            row = await notices.take(tx, self._tenant, self._owner, self._clock())
        if row is None:
            return 0
        try:
            await self._notifier(notice_of(row))
        except Exception as error:  # whatever a notifier raises, the notice has not arrived
            await self._failed(row, str(error) if isinstance(error, AssentError) else type(error).__name__)
            return 1
        body = {"kind": row.kind, "review": row.review}
        async with self._store.begin() as tx:
            if await notices.sent(tx, row.id, self._owner, self._clock()):
                records.about(tx, row.tenant, self._clock(), "notice.sent", "worker", row.id, body)
        return 1

    async def _failed(self, row: NoticeRow, problem: str) -> None:
        last = row.attempts > len(PAUSES)
        due = notices.GIVEN_UP if last else self._clock() + PAUSES[row.attempts - 1]
        log.warning("the notice %s could not be sent: %s", row.id, problem)
        async with self._store.begin() as tx:
            if await notices.put_off(tx, row.id, self._owner, due, problem[:300]) and last:
                body = {"kind": row.kind, "review": row.review, "attempts": row.attempts}
                records.about(tx, row.tenant, self._clock(), "notice.given_up", "worker", row.id, body, {"problem": problem[:300]})
