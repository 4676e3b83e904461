"""Walks every route and every Gradio handler of the mounted application, also those nobody listed, and sees what it changes."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from assent.ui.paths import NEVER, OPEN_PATHS, SAFE_METHODS
from starlette.routing import Mount, WebSocketRoute

from .conftest import Shop

ENDLESS = re.compile(r"/gradio_api/heartbeat/.*")
"""What answers for as long as somebody listens."""
OWN = frozenset({"/sign-out", "/api/me/password"})
"""What everybody who is signed in may do to themselves."""


@dataclass(frozen=True)
class Door:
    """One method of one route, with a body that would do something if it were let in."""

    method: str
    path: str
    route: str
    body: dict[str, Any] | None = None

    @property
    def changes(self) -> bool:
        """Whether a browser asks for more than to look."""
        return self.method not in SAFE_METHODS

    @property
    def is_ours(self) -> bool:
        """Whether it is a door of the desk and not one of Gradio's that is shut for everybody."""
        return not NEVER.fullmatch(self.path) and self.path not in OPEN_PATHS | OWN

    async def knock(self, who: httpx.AsyncClient, prefix: str = "", **changes: Any) -> httpx.Response:
        """Send the request."""
        body = {**(self.body or {}), **changes.pop("forged", {})}
        content = changes.pop("content", json.dumps(body) if self.changes else None)
        headers = {"content-type": "application/json", **changes.pop("headers", {})} if self.changes else changes.pop("headers", {})
        return await who.request(self.method, prefix + self.path, content=content, headers=headers, **changes)


def every_route(routes: Any, prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield method, path and the model of the body, where there is one, of every route behind an application."""
    for route in routes:
        if isinstance(route, Mount):
            yield from every_route(route.routes, prefix + route.path)
        elif included := getattr(route, "original_router", None):  # what include_router leaves behind
            yield from every_route(included.routes, prefix + route.include_context.prefix)
        elif isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", prefix + route.path, None
        elif path := getattr(route, "path", ""):
            body = getattr(route, "body_field", None)
            for method in sorted(route.methods or {"GET"}):
                yield method, prefix + path, body.field_info.annotation if body is not None else None


def filled_in(model: Any, digest: str) -> dict[str, Any]:
    """Return a body that would do something; a door that needs more than these words is named by the walk."""
    known: dict[str, Any] = {
        "digest": digest,
        "decision": {"type": "approve"},
        "outcome": "done",
        "text": "walked",
        "requester": "C100",
        "reason": "walked",
        "note": "walked",
        "until": "2099-01-01T00:00:00+00:00",
        "to": "role:lead",
        "scope": "all",
        "name": "",
        "values": {"known": 0.5},
    }
    if "to" in getattr(model, "model_fields", {}) and "tool" in model.model_fields:  # a level, not a person
        known |= {"to": 0, "agent": "assent", "tool": "refund", "evidence": "0" * 64}
    return {name: known[name] for name in getattr(model, "model_fields", {}) if name in known}


@dataclass(frozen=True)
class Seeded:
    """A desk in which every door leads to something."""

    shop: Shop
    folder: Path
    pending: str
    task: str
    example: str
    digest: str

    def filled(self, route: str) -> str:
        """Return a route's path with the ids of what is there."""
        known = {"review_id": self.pending, "action_id": self.task, "example_id": self.example, "thread": "case-1"}
        known["subject"] = self.task
        if route.startswith("/api/threads/"):
            known["thread"] = "play-1"
        return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: known.get(found[1], "x"), route)

    def doors(self, app: Any) -> list[Door]:
        """Return every door of the application, with HEAD beside every GET."""
        found = {}
        for method, route, model in every_route(app.routes):
            found[method, route] = model
            if method == "GET":
                found["HEAD", route] = None
        return [
            Door(method, self.filled(route), route, filled_in(model, self.digest))
            for (method, route), model in sorted(found.items(), key=lambda one: one[0])
            if method != "WEBSOCKET"
        ]

    def rows(self) -> dict[str, list[Any]]:
        """Return all rows of all tables, except what a refusal may leave: events, failed attempts, and that a secret was used."""
        with sqlite3.connect(self.folder / "desk.db") as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
            found: dict[str, list[Any]] = {}
            for table in tables:
                if table in ("events", "heads", "attempts"):
                    continue
                names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "used_at"]
                columns = ", ".join(f'"{name}"' for name in names)
                found[table] = sorted(connection.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)
        connection.close()
        return found

    async def denials(self) -> int:
        """Return how many refusals are on record, one by one or counted."""
        await self.shop.desk.denials.flush()
        with sqlite3.connect(self.folder / "desk.db") as connection:
            noted = connection.execute("SELECT count(*) FROM events WHERE kind = 'denied'").fetchone()[0]
            counted = connection.execute("SELECT body FROM events WHERE kind = 'denied.counted'").fetchall()
        connection.close()
        return int(noted) + sum(json.loads(body)["count"] for (body,) in counted)


async def seed(shop: Shop, folder: Path) -> Seeded:
    """Leave a pending review, a decided one with its example, an execution nobody can vouch for, and a conversation."""
    from .conftest import done

    decided, unknown = await shop.refund(), await shop.ask("courier", {"order_id": "SECRET-1001"})
    for review in (decided, unknown):
        card = await shop.desk.card(review, "ada")
        await shop.desk.decide(review, {"type": "approve", "digest": card.digest}, "ada")
    await shop.desk.drain()
    pending = await shop.ask("refund", {"order_id": "SECRET-1002", "amount": "12.00"})
    await shop.desk.send("ada/play-1", "a note please", requester="C100")
    await shop.desk.drain()
    (task,) = [one.action for one in await shop.desk.tasks("ada") if one.kind == "unknown"]
    example = (await shop.desk.examples("ada"))[0].id
    done.clear()
    digest = (await shop.desk.card(pending, "ada")).digest
    return Seeded(shop, folder, pending, str(task), example, digest)
