"""What a deployment may choose about the desk's web surface; refuses anything that would weaken the guard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Requester:
    """Someone the playground may speak as: a seeded customer, never the operator."""

    id: str
    """The principal the tools see."""
    label: str
    """What the operator reads in the list."""


Requesters = Callable[[], Sequence[Requester] | Awaitable[Sequence[Requester]]]


def no_requesters() -> Sequence[Requester]:
    """Return nobody: the playground stays closed until a deployment names its customers."""
    return ()


@dataclass(frozen=True, slots=True)
class UiSettings:
    """Choices of one deployment, read once."""

    hosts: frozenset[str] = field(default=frozenset({"localhost", "127.0.0.1", "[::1]"}))
    """Host names the desk answers to, without port; any other is refused."""
    origins: frozenset[str] = field(default=frozenset())
    """Further origins (scheme, name and port) that may send requests; the desk's own is always among them."""
    undo_window: float = 5.0
    """Seconds in which a decision can be taken back before anything runs; 0 for none."""
    secure_cookies: bool = False
    """Send the session cookie over https only; set it wherever the desk is not on localhost."""
    body_limit: int = 1_000_000
    """Largest request body in bytes."""
    trust_proxy: bool = False
    """Whether `X-Forwarded-*` comes from a proxy of ours; otherwise it is dropped."""
    requesters: Requesters = no_requesters
    """The customers the playground may speak as."""
    run_worker: bool = True
    """Whether this process also does the work that decisions release; another process may do it at the same time."""
    title: str = "Assent"
    """The name in the browser tab."""
