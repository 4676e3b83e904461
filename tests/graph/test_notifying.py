"""Notices: signed so that a receiver can tell who sent them, tried again until they arrive, and a task when they do not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import assent
import pytest
from assent.graph.control.notices import Notice
from assent.graph.control.notifying import PAUSES, NotDelivered, Webhook, notifier_of, to_log
from fakes import HandClock, Script, asks, calls, on_thread, staff

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
NOTICE = Notice("notice_1", "main", "expired", "RQ-1 has expired.", {"number": 1, "text": "RQ-1 has expired."})


class Receiver:
    """A real HTTP server that keeps what it is sent and answers with the statuses it was given, then 204."""

    def __init__(self) -> None:
        self.got, self.answers = [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver():
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


async def test_a_receiver_can_check_who_sent_it_and_that_nothing_was_changed(receiver):
    await Webhook(receiver.url, SECRET, HandClock())(NOTICE)
    ((headers, body),) = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}" and headers["webhook-id"] == "notice_1"
    assert json.loads(body) == {"type": "assent.expired", "id": "notice_1", "tenant": "main", "data": NOTICE.body}


def test_the_signature_is_the_one_of_the_published_scheme():
    """The example of https://github.com/standard-webhooks: the same secret, id, time and body give the same signature."""
    webhook = Webhook("https://example.com", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", HandClock())
    webhook._clock = lambda: type("At", (), {"timestamp": staticmethod(lambda: 1614265330)})()
    headers = webhook.signed("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [301, 400, 404, 410, 500])
async def test_anything_but_a_2xx_answer_is_not_delivered(receiver, status):
    receiver.answers = [status]
    with pytest.raises(NotDelivered, match=str(status)):
        await Webhook(receiver.url, SECRET)(NOTICE)
    assert len(receiver.got) == 1, "a redirection is not followed"


async def test_a_receiver_that_is_away_is_said(receiver):
    with pytest.raises(NotDelivered, match="cannot be reached"):
        await Webhook("http://127.0.0.1:9/hook", SECRET)(NOTICE)


def test_the_environment_names_the_webhook_and_a_weak_secret_is_refused():
    assert notifier_of({}, HandClock()) is to_log
    assert isinstance(notifier_of({"ASSENT_WEBHOOK_URL": "https://x", "ASSENT_WEBHOOK_SECRET": SECRET}, HandClock()), Webhook)
    for secret in ("", "short", "whsec_!!", "whsec_" + base64.b64encode(b"k" * 8).decode()):
        with pytest.raises(assent.AssentError, match="secret"):
            notifier_of({"ASSENT_WEBHOOK_URL": "https://x", "ASSENT_WEBHOOK_SECRET": secret}, HandClock())
    with pytest.raises(assent.AssentError, match="begins with https"):
        Webhook("ftp://x", SECRET)


async def test_it_is_sent_again_under_one_id_until_it_arrives_and_given_up_it_is_a_task_that_can_be_sent_again(any_url, receiver):
    clock = HandClock()
    async with assent.open(any_url, clock=clock, notifier=Webhook(receiver.url, SECRET, clock)) as desk:
        await staff(desk)

        @assent.action(consequence="costly")
        async def pay(to: str) -> str:
            """Pay somebody."""
            return "paid"

        desk.agent(tools=[pay], policy=assent.Policy(()), propose=Script(calls(("pay", {"to": "ann"}))))
        await desk.agents["assent"].ainvoke(asks(), on_thread())
        receiver.answers = [503, 503]
        stop = await desk.stop("tool", "pay", "lee", "a look at it")
        for pause in PAUSES[:2]:
            await desk.drain()
            clock.forward(pause.total_seconds())
        await desk.drain()
        assert len(receiver.got) == 3 and len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
        assert "a look at it" not in receiver.got[0][1].decode() and "ann" not in receiver.got[0][1].decode()
        receiver.answers = [503] * 50
        await desk.lift(stop.id, "lee")
        for pause in (*PAUSES, PAUSES[-1], PAUSES[-1]):
            await desk.drain()
            clock.forward(pause.total_seconds())
        assert len(receiver.got) == 3 + len(PAUSES) + 1
        (task,) = [one for one in await desk.tasks("vi") if one.kind == "undelivered"]
        assert "503" in task.text and "send it again" in task.next
        receiver.answers = []
        await desk.resend(task.subject, "ada")
        await desk.drain()
        assert json.loads(receiver.got[-1][1])["type"] == "assent.lifted"
        assert [one.kind for one in await desk.tasks("vi")] == []
        with pytest.raises(assent.AssentError, match="no such notice"):
            await desk.resend(task.subject, "ada")
