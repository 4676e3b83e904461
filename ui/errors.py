"""What can go wrong on the web surface alone, in words a person can act on."""

from __future__ import annotations

from typing import Any

from ..graph.errors import AssentError, StaleDigest


class NotSignedIn(AssentError):
    """Sign in first."""


class UnknownRequester(AssentError):
    """This desk may not speak as that requester."""


class UnknownClass(AssentError):
    """No action of this agent and tool was ever proposed here."""


class ClassChanged(AssentError):
    """The evidence is not what you were shown; look at it again before you sign."""

    def __init__(self, message: str, changed: list[str], insight: dict[str, Any]) -> None:
        super().__init__(message)
        self.changed, self.insight = changed, insight
        """Which parts changed, as far as that is known, and the class as it is now."""


class BadThreadName(AssentError):
    """A thread is named with up to 80 letters, digits, dots, dashes or underscores."""


class ActionChanged(StaleDigest):
    """The action is not the one you were shown; look at it again before you decide."""

    def __init__(self, review_id: str, current: dict[str, Any]) -> None:
        super().__init__(review_id)
        self.current = current
