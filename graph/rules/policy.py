"""The policy: checks rule on an action and the strictest ruling wins; it weighs no confidence and runs no action.

Four rulings, from loose to strict: `allow` (run it), `gate` (run it if confidence suffices), `review` (a person
decides), `refuse` (it does not happen). No ruling at all, and every fault in a check, is `review`.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from ...tools.declaration import Consequence
from ..autonomy.levels import Level, ceiling_of
from ..canonical import digest_of
from ..errors import AssentError
from .described import described
from .facts import Facts, copied
from .terms import DEFAULT, Terms, combined

__all__ = ["KINDS", "Bound", "Check", "Facts", "Kind", "Policy", "PolicyError", "Ruled", "Ruling", "Terms"]
__all__ += ["is_exact", "name_of", "on", "strictest"]

Kind = Literal["allow", "gate", "review", "refuse"]
"""`allow` runs; `gate` runs if confidence suffices; `review` waits for a person; `refuse` goes back to the agent."""

KINDS: tuple[Kind, ...] = get_args(Kind)
"""The rulings from loosest to strictest."""


class PolicyError(AssentError):
    """The policy cannot be used."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one check says about an action; raises ValueError for a kind that is none."""

    kind: Kind
    reason: str
    """One sentence for people: reviewers read it on the card, the agent reads it when refused."""
    check: str = ""
    """The name of the check; the policy fills it in when left empty."""
    terms: Terms = DEFAULT
    """How many people, of which role, until when; the strictest of all rulings count, whatever their kind."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a ruling is one of {', '.join(KINDS)}, not {self.kind!r}")


Check = Callable[[Facts], Ruling | Awaitable[Ruling | None] | None]
"""A policy unit: a ruling with its reason, or nothing when the action is none of its business; sync or async."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A check that is asked about the named tools only; made by `on`."""

    tools: frozenset[str]
    check: Check

    def __call__(self, facts: Facts) -> Ruling | Awaitable[Ruling | None] | None:
        """Ask the inner check if the tool is one of the named ones."""
        return self.check(facts) if facts.tool in self.tools else None


@dataclass(frozen=True, slots=True)
class Ruled:
    """What a policy says about an action: the strictest kind, and every ruling behind it, strictest first."""

    kind: Kind
    rulings: tuple[Ruling, ...]
    policy: str
    """The digest of the policy that ruled."""
    terms: Terms = DEFAULT
    """The strictest terms of the policy and of all rulings."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of the rulings that decided, in the order of the rulings."""
        return tuple(ruling.reason for ruling in self.rulings if ruling.kind == self.kind)


def on(tools: str | Iterable[str], check: Check) -> Bound:
    """Bind a check to tools by their exact names; raises PolicyError for a pattern or an empty name."""
    names = frozenset([tools] if isinstance(tools, str) else tools)
    if not names:
        raise PolicyError("on() needs at least one tool name")
    for name in names:
        if not is_exact(name):
            raise PolicyError(f"{name!r} is not an exact tool name; patterns are not supported, so list the tools")
    return Bound(names, check)


def is_exact(name: str) -> bool:
    """Tell whether `name` can be the name of one tool, rather than a pattern, a blank or a list."""
    return bool(name) and not any(char in "*?[]{}!,()" or char.isspace() for char in name)


def strictest(rulings: Iterable[Ruling]) -> Kind:
    """Return the strictest kind among the rulings; `review` when there is none."""
    return max((ruling.kind for ruling in rulings), key=KINDS.index, default="review")


def name_of(check: Check) -> str:
    """Return how a check is called: its `name`, else its function's, or its factory's when that is just `check`."""
    if isinstance(check, Bound):
        return name_of(check.check)
    own = getattr(check, "name", None)
    if isinstance(own, str) and own:
        return own
    parts = str(getattr(check, "__qualname__", type(check).__name__)).split(".<locals>.")
    return parts[-2] if parts[-1] == "check" and len(parts) > 1 else parts[-1]


@dataclass(frozen=True, slots=True)
class Policy:
    """A set of checks with a floor beneath them; order and duplicates of checks change nothing, not even its digest."""

    checks: Sequence[Check]
    threshold: float | None = None
    """Stated, uncertified confidence (0..1) from which gated actions of reversible tools run; None = always review."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """The same for single tools, by exact name; takes precedence over `threshold`."""
    ceilings: Mapping[str, Level] = field(default_factory=dict)
    """The highest autonomy level of single tools, by exact name; without one, irreversible tools are never above supervised."""
    unreviewed_irreversible: Collection[str] = frozenset()
    """Irreversible tools that the checks may let go without review; all others always wait for a person."""
    patience: float = 5.0
    """Seconds an async check may take before the action goes to review."""
    terms: Terms = DEFAULT
    """Terms that hold for every action, whatever the checks say; a check can make them stricter only."""
    digest: str = field(init=False)
    """SHA-256 (hex) over all of the above; of a Python check its name, source where available, and parameters."""

    def __post_init__(self) -> None:
        for name, value in {"threshold": self.threshold, **self.thresholds}.items():
            if value is not None and not _is_share(value):
                raise PolicyError(f"the threshold {name!r} must be a number from 0 to 1, not {value!r}")
        for name in (*self.thresholds, *self.ceilings, *self.unreviewed_irreversible):
            if not is_exact(name):
                raise PolicyError(f"{name!r} is not an exact tool name")
        if not isinstance(self.terms, Terms):
            raise PolicyError(f"terms must be Terms(...), not {self.terms!r:.60}")
        if not (self.patience > 0 and math.isfinite(self.patience)):
            raise PolicyError(f"patience must be a positive number of seconds, not {self.patience!r}")
        object.__setattr__(self, "checks", tuple(self.checks))
        object.__setattr__(self, "thresholds", dict(self.thresholds))
        object.__setattr__(self, "ceilings", {name: _level(name, level) for name, level in self.ceilings.items()})
        object.__setattr__(self, "unreviewed_irreversible", frozenset(self.unreviewed_irreversible))
        object.__setattr__(self, "digest", _digest(self))

    def threshold_for(self, tool: str, consequence: Consequence | None) -> float | None:
        """Return the stated threshold for a gated action; None (a person decides) unless the tool is reversible."""
        return self.thresholds.get(tool, self.threshold) if consequence == "reversible" else None

    def ceiling_for(self, tool: str, consequence: Consequence | None) -> Level:
        """Return the highest level at which gated actions of a tool may pass without a person."""
        return ceiling_of(consequence, self.ceilings.get(tool))

    async def rule(self, facts: Facts) -> Ruled:
        """Ask every check that applies; return the strictest ruling and all behind it; no fault of a check raises."""
        try:
            facts = copied(facts)
        except ValueError as error:
            return self._ruled([Ruling("review", f"The action cannot be checked: {error}.", "facts")])
        asked = [check for check in self.checks if not isinstance(check, Bound) or facts.tool in check.tools]
        answers = await asyncio.gather(*(self._ask(check, facts) for check in asked))
        rulings = [ruling for ruling in answers if ruling is not None]
        if not rulings:
            rulings = [Ruling("review", f"No rule of the policy speaks about this action of {facts.tool}.", "no match")]
        return self._ruled([*rulings, *self._floor(facts)])

    async def _ask(self, check: Check, facts: Facts) -> Ruling | None:
        name = name_of(check)
        try:
            answer = _called(check, copied(facts))
            if inspect.isawaitable(answer):
                answer = await _within(self.patience, answer)
            ruling = _sound(answer, name)
        except Exception as error:  # whatever a check does wrong, a person looks
            return Ruling("review", f"The check {name} could not be carried out ({_told(error)}).", name)
        if ruling is None or ruling.kind != "allow" or _may_allow(check, facts):
            return ruling
        reason = f"{ruling.check} allows it without naming {facts.tool}, which a {facts.consequence} tool needs."
        return Ruling("review", reason, ruling.check, ruling.terms)

    def _floor(self, facts: Facts) -> list[Ruling]:
        if facts.consequence != "irreversible" or facts.tool in self.unreviewed_irreversible:
            return []
        return [Ruling("review", f"What {facts.tool} does cannot be taken back, so a person decides.", "floor")]

    def _ruled(self, rulings: list[Ruling]) -> Ruled:
        order = sorted(set(rulings), key=_order)
        return Ruled(strictest(order), tuple(order), self.digest, combined([self.terms, *(ruling.terms for ruling in order)]))


def _order(ruling: Ruling) -> tuple[int, str, str, str]:
    return (-KINDS.index(ruling.kind), ruling.check, ruling.reason, repr(ruling.terms))


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _level(tool: str, level: Level) -> Level:
    try:
        return Level(level)
    except ValueError:
        raise PolicyError(f"the ceiling of {tool!r} is a level from 0 to 4, not {level!r}") from None


def _called(check: Check, facts: Facts) -> object:
    try:
        return check(facts)
    except asyncio.CancelledError:  # raised by the check itself: nothing was awaited, so nobody is cancelling us
        raise ValueError("it cancelled itself") from None


async def _within(seconds: float, answer: Awaitable[object]) -> object:
    """Wait for an answer without waiting for its clean-up, which a hostile or broken check could stretch for ever."""
    task = asyncio.ensure_future(answer)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()
    if not done:
        raise ValueError(f"no answer within {seconds:g} s")
    if task.cancelled():
        raise ValueError("it cancelled itself")
    return task.result()


def _sound(answer: object, name: str) -> Ruling | None:
    if answer is None:
        return None
    if not isinstance(answer, Ruling):
        raise ValueError(f"it answered with {type(answer).__name__} instead of a ruling or nothing")
    if not isinstance(answer.reason, str) or not isinstance(answer.check, str):
        raise ValueError("its reason or name is not text")
    if not isinstance(answer.terms, Terms):
        raise ValueError("its terms are no terms")
    return Ruling(answer.kind, answer.reason, answer.check or name, answer.terms)  # made anew, so its kind is checked again


def _told(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except Exception:  # an exception whose text cannot be made is still an exception
        return type(error).__name__


def _may_allow(check: Check, facts: Facts) -> bool:
    """Tell whether this check may allow the tool: what is costly or irreversible takes a rule that names it."""
    return facts.consequence in ("read", "reversible") or (isinstance(check, Bound) and facts.tool in check.tools)


def _digest(policy: Policy) -> str:
    checks = {digest_of(described(check)) for check in policy.checks}
    rest = [policy.threshold, dict(policy.thresholds), sorted(policy.unreviewed_irreversible), policy.patience]
    rest.append(policy.terms.as_json())
    if policy.ceilings:  # without any, the digest of a policy is what it was before there were ceilings
        rest.append({name: int(level) for name, level in policy.ceilings.items()})
    return digest_of("policy", sorted(checks), *rest)
