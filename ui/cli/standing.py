"""Where a review stands, in a line for a terminal, and the commands that put it off, pass it on or give it longer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from ...graph.desk import Desk
from ...graph.looking.views import ReviewCard
from .database import Database
from .place import OPERATOR
from .say import Failed, show, wait_for
from .shown import visible_text

Home = Annotated[Path, typer.Option(envvar="ASSENT_HOME", help="The folder the desk lives in.")]
Who = Annotated[str, typer.Option("--as", envvar="ASSENT_USER", help="The user who acts; the default is the demo's.")]
Which = Annotated[str, typer.Argument(help="The review's number (12 or RQ-12) or id.")]
Why = Annotated[str, typer.Option(help="Why, in a few words.")]
Opener = Callable[[Path, str | None], AbstractAsyncContextManager[Desk]]
Finder = Callable[[Desk, str, str], Any]

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


def standing(card: ReviewCard, now: datetime) -> str:
    """Return what a reviewer should know before looking: approvals, due time, holder, edit, role."""
    names = ", ".join(str(one["actor"]) for one in card.approvals)
    parts = [
        f"{len(card.approvals)} of {card.quorum} approved{f' ({names})' if names else ''}" if card.quorum > 1 or names else "",
        _due(card.due, now) if card.due else "",
        f"{card.holder} works on it" if card.holder and card.held_until and datetime.fromisoformat(card.held_until) > now else "",
        f"edited by {card.edited_by}" if card.edited_by else "",
        f"needs a {card.role}" if card.role != "operator" else "",
        f"escalated to {card.escalated_to}" if card.escalated_to else "",
        f"snoozed until {card.snoozed_until}" if card.snoozed_until else "",
    ]
    return visible_text("; ".join(part for part in parts if part))


def _due(due: str, now: datetime) -> str:
    minutes = (datetime.fromisoformat(due) - now).total_seconds() / 60
    if minutes <= 0:
        return "expired"
    return f"due in {minutes:.0f} min" if minutes < 120 else f"due in {minutes / 60:.0f} h"


def seconds_of(text: str) -> float:
    """Return the seconds of `15m`, `1h` or `2d`; raises Failed."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.replace(".", "", 1).isdigit() or float(number) <= 0:
        raise Failed(f"{text!r} is no length of time: write 15m, 1h or 2d.", 2)
    return float(number) * _UNITS[unit]


def add_commands(app: typer.Typer, opened: Opener, found: Finder) -> None:
    """Add `snooze`, `escalate` and `extend` to the commands of the inbox."""

    def act(home: Path, database: str | None, which: str, who: str, door: Callable[[Desk, ReviewCard], Any]) -> ReviewCard:
        async def work() -> ReviewCard:
            async with opened(home, database) as desk:
                card: ReviewCard = await found(desk, which, who)
                await door(desk, card)
                return await desk.card(card.id, who)

        return wait_for(work())

    @app.command()
    def snooze(
        which: Which,
        length: Annotated[str, typer.Argument(help="How long: 15m, 1h or 1d.")] = "15m",
        home: Home = Path("desk"),
        database: Database = None,
        who: Who = OPERATOR,
    ) -> None:
        """Put a review aside for everybody; it still expires when it is due."""
        until = datetime.now(UTC) + timedelta(seconds=seconds_of(length))
        card = act(home, database, which, who, lambda desk, card: desk.snooze(card.id, until, who))
        show(f"RQ-{card.number} snoozed until {card.snoozed_until}")

    @app.command()
    def escalate(
        which: Which,
        reason: Why,
        to: Annotated[str, typer.Option(help="role:lead, role:admin or user:NAME.")] = "role:lead",
        home: Home = Path("desk"),
        database: Database = None,
        who: Who = OPERATOR,
    ) -> None:
        """Call in a role or a person; it stays pending and comes first."""
        card = act(home, database, which, who, lambda desk, card: desk.escalate(card.id, to, who, reason))
        show(f"RQ-{card.number} escalated to {to}")

    @app.command()
    def extend(
        which: Which,
        length: Annotated[str, typer.Argument(help="How much longer: 30m, 4h or 1d.")],
        reason: Why,
        home: Home = Path("desk"),
        database: Database = None,
        who: Who = OPERATOR,
    ) -> None:
        """Give a review longer before it expires."""
        more = timedelta(seconds=seconds_of(length))

        def longer(desk: Desk, card: ReviewCard) -> Any:
            if card.due is None:
                raise Failed("This review has no due time; there is nothing to extend.", 2)
            return desk.extend(card.id, datetime.fromisoformat(card.due) + more, who, reason)

        card = act(home, database, which, who, longer)
        show(f"RQ-{card.number} is due at {card.due}")
