"""Everything that can go wrong in words a person can act on; the docstring is the message when none is given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any


class AssentError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().split("\n\n")[0])


class NotAllowed(AssentError):
    """You may not do this: it needs a role you do not have."""


class Locked(AssentError):
    """Too many failed attempts; wait before the next one."""

    def __init__(self, until: datetime, wait: timedelta) -> None:
        self.until = until
        minutes = max(1, -(-int(wait.total_seconds()) // 60))
        super().__init__(f"Too many failed attempts. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again.")


class UnknownReview(AssentError):
    """There is no such review in your queue."""


class UnknownThread(AssentError):
    """There is no such thread."""


class UnknownTool(AssentError):
    """No tool of that name is offered here."""


class AlreadyDecided(AssentError):
    """This review is no longer pending."""

    def __init__(self, review_id: str, status: str, by: str | None, at: datetime | None, decision: str | None) -> None:
        self.review_id, self.status, self.by, self.at, self.decision = review_id, status, by, at, decision
        when = f" at {at:%H:%M:%S} UTC on {at:%d %B %Y}" if at else ""
        what = f"{decision} by {by}{when}" if by and decision else f"{status}{when}"
        super().__init__(f"This review is no longer pending: {what}. Nothing was changed.")


class StaleDigest(AssentError):
    """The action is not the one you were shown; look at it again before you decide."""

    def __init__(
        self,
        review_id: str,
        shown: Mapping[str, Any] | None = None,
        asked: Mapping[str, Any] | None = None,
        edited_by: str | None = None,
    ) -> None:
        self.review_id = review_id
        self.shown, self.asked = shown, asked
        """The arguments of the digest that was sent, if it is known here, and those that are asked about now."""
        self.edited_by = edited_by
        who = f"{edited_by} has changed the action meanwhile; look at it again before you decide." if edited_by else None
        super().__init__(who)


class Expired(AssentError):
    """This review is expired; the action does not happen."""

    def __init__(self, review_id: str, due: datetime) -> None:
        self.review_id, self.due = review_id, due
        super().__init__(
            f"This review expired at {due:%H:%M:%S} UTC on {due:%d %B %Y}: nobody decided in time, so the action does not happen."
        )


class HeldByAnother(AssentError):
    """Somebody else works on this card."""

    def __init__(self, holder: str, until: datetime) -> None:
        self.holder, self.until = holder, until
        super().__init__(f"{holder} works on this card until {until:%H:%M:%S} UTC; a lead may take it over.")


class EnoughToday(AssentError):
    """You have decided as much as one day allows here."""

    def __init__(self, count: int, until: datetime) -> None:
        self.count, self.until = count, until
        super().__init__(
            f"You have decided {count} cards today, which is as many as one day allows here. It goes on at {until:%H:%M} UTC on "
            f"{until:%d %B %Y}; a lead may raise the cap: assent reviewing set daily_cap=NUMBER."
        )


class AlreadyApproved(AssentError):
    """You have approved this already; somebody else has to as well."""

    def __init__(self, approvals: int, quorum: int) -> None:
        self.approvals, self.quorum = approvals, quorum
        super().__init__(f"You have approved this already ({approvals} of {quorum}); it waits for somebody else.")


class InvalidEdit(AssentError):
    """The edited action cannot be accepted."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("; ".join(f"{name}: {text}" if name else text for name, text in self.problems.items()))


class TooLate(AssentError):
    """The decision can no longer be taken back: the action has been started."""


class Unauthorised(AssentError):
    """The tool was not called: no committed approval or verdict covers exactly this action."""


class QueueFull(AssentError):
    """The queue is full; nothing was accepted. Decide what waits, or raise the limit, and try again."""


class TooMany(AssentError):
    """Too much of this waits already; nothing was accepted. Wait until some of it is done."""


class MessageTooLong(AssentError):
    """The message is too long; nothing was accepted."""


class ThreadBusy(AssentError):
    """Another process is working on this thread; the message is stored and will be delivered."""


class ThreadClosed(AssentError):
    """This case was cancelled; start a new one."""


class Stopped(AssentError):
    """A stop is pressed; the agent goes on when it is lifted."""


class Forgotten(AssentError):
    """The graph no longer knows of what waits for assent in this thread."""


class Halfway(AssentError):
    """The agent stopped in the middle of a turn and asks nobody anything; it is tried again, and you can cancel the case."""


class BrokenText(AssentError):
    """A text has a broken character (NUL, or half of a surrogate pair); nothing was changed. Send it without."""


class StoreError(AssentError):
    """The database cannot be used."""


class SchemaTooNew(StoreError):
    """The database was written by a newer version of Assent; update this installation and start again."""


class ProposalError(AssentError):
    """The model's answer is not an action that is offered here.

    `raw` is the answer, cut to 2,000 characters; `tokens` is what it cost all the same, where the model server told.
    """

    def __init__(self, message: str | None = None, raw: Any = "", tokens: int | None = None) -> None:
        self.raw, self.tokens = str(raw)[:2000], tokens
        super().__init__(message)


class ModelUnavailable(AssentError):
    """The model server does not answer; start it, or check OPENAI_BASE_URL. What waits is kept and tried again."""


class VectorMismatch(AssentError):
    """The text vectors do not fit together: the embedding model changed, so the precedents must be embedded again."""
