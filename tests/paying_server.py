"""A payment server over real HTTP: it books first and then answers, fails, hangs or refuses, as the test says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Payments:
    """What was asked for and what was booked; under a known key nothing is booked a second time."""

    def __init__(self, answers: list[str]) -> None:
        self.answers = answers
        """What each request gets, in order: `ok`, `500`, `hang` after booking; `409` before; the last one goes on."""
        self.url = ""
        self.asked: list[str | None] = []
        """The key of each request."""
        self.booked: list[str | None] = []
        self.over = threading.Event()
        self._lock = threading.Lock()

    def take(self, key: str | None) -> str:
        """Book a payment unless it is refused or known; returns how to answer."""
        with self._lock:
            self.asked.append(key)
            answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
            if answer != "409" and (key is None or key not in self.booked):
                self.booked.append(key)
            return answer


def _handler(payments: Payments) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = payments.take(self.headers.get("idempotency-key"))
            if answer == "hang":
                payments.over.wait()
                return
            self.send_response(200 if answer == "ok" else int(answer))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def paying(*answers: str) -> Iterator[Payments]:
    """Run a server that answers so."""
    payments = Payments(list(answers))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(payments))
    server.daemon_threads = True
    payments.url = f"http://127.0.0.1:{server.server_port}/pay"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield payments
    finally:
        payments.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
