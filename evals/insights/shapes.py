"""What is known of a class of actions, as the desk's page Insights reads it: plain values that say how many rows they stand on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..certify.diagnostics import Bin, Point


@dataclass(frozen=True, slots=True)
class Volume:
    """How many actions a class proposed in the last `days`."""

    days: int
    proposed: int = 0
    passed: int = 0
    reviewed: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Promise:
    """A certificate, signed or on offer."""

    id: str
    status: str
    level: int
    level_name: str
    alpha: float
    delta: float
    threshold: float
    rows: int
    n: int
    k: int
    coverage: float
    bound: float
    created: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a class has come towards something that is counted."""

    text: str
    have: int
    need: int


@dataclass(frozen=True, slots=True)
class Step:
    """One change of level."""

    before: int
    before_name: str
    after: int
    after_name: str
    by: str
    reason: str
    certificate: str
    at: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagram:
    """What was right by stretches of a confidence; `note` says what is missing when there is nothing to draw."""

    bins: tuple[Bin, ...] = ()
    n: int = 0
    error: float | None = None
    """The expected calibration error."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """What would pass at each threshold and how much of it was wrong; `certified` is the promised point."""

    points: tuple[Point, ...] = ()
    n: int = 0
    certified: Promise | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """The evidence against a promise after one audit."""

    at: str
    evidence: float
    audits: int
    errors: int


@dataclass(frozen=True, slots=True)
class Watch:
    """The monitor of a certificate since it was signed."""

    alpha: float | None = None
    alarm: float = 20.0
    evidence: float | None = None
    audits: int = 0
    errors: int = 0
    alarmed: bool = False
    share: float = 0.0
    begin: float = 1.0
    """The evidence before the first audit."""
    series: tuple[Watched, ...] = ()
    ended: str = ""
    """When the certificate that was watched ended; empty while it is in force."""
    left_out: str = ""
    """How many answered audits were neither right nor wrong, in a sentence; empty before the first answer."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """What people decided about a class in the week that begins on a Monday."""

    monday: str
    n: int
    approved: int
    edited: int
    rejected: int
    answered: int


@dataclass(frozen=True, slots=True)
class Warning:
    """An early sign that something changed; it alone demotes nothing."""

    text: str
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a class stands: what is known of each one, in the list and on its own."""

    agent: str
    tool: str
    title: str
    consequence: str
    level: int
    level_name: str
    since: str
    suspended: str
    volume: Volume
    signed: Promise | None = None
    offered: Promise | None = None
    watch: Watch = field(default_factory=Watch)
    unwatched: str = ""
    """Why nothing of it passes although its level would let it and it is not suspended: nobody watches it."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Standing):
    """A class in the list of all."""

    fallen: str = ""
    """Who took it down, if the last change of its level was a demotion by itself: `monitor`, `key`, `reviewers`, `critical`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassInsight(Standing):
    """Everything the page shows of one class; `evidence` is what a signature freezes, and names by its digest."""

    version: int
    to: int
    """The level that a signature would be for."""
    signable: bool
    """Whether nothing is missing for it but a signature."""
    progress: tuple[Progress, ...]
    history: tuple[Step, ...]
    raw: Diagram
    calibrated: Diagram
    curve: Curve
    weeks: tuple[Week, ...]
    drift: tuple[Warning, ...]
    drift_note: str
    evidence: dict[str, Any]
    evidence_digest: str
