"""Whether an assessed action passes: by what its class has earned, else by a threshold that the policy states, else not at all.

Pure, and a handful of comparisons: the desk and the simulation decide by this one function.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from .drawing import draw
from .levels import EARNED, WORDS, Level
from .scoring import Features, Head

Way = Literal["allow", "review", "refuse"]


@dataclass(frozen=True, slots=True)
class Earned:
    """What a class of actions may do now, as one row says."""

    level: Level = Level.SUPERVISED
    version: int = 0
    key: str = ""
    certificate: str = ""
    head: Head | None = None
    threshold: float | None = None
    share: float = 0.0
    seed: str = ""
    veto: float | None = None
    undo: float | None = None
    suspended: str = ""
    watched_until: datetime | None = None
    """From when on nothing passes unless somebody goes on watching; None: nothing passes."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What confidence came to for one action."""

    way: Way
    confidence: float | None
    threshold: float | None
    reason: str
    """For the card and for the log."""
    audited: bool = False
    shadow: bool = False
    void: bool = False
    """Whether the certificate belongs to another key, and is to be suspended."""
    basis: Literal["certificate", "stated", "none"] = "none"
    """What the threshold stands on."""
    share: float = 0.0
    draw: float | None = None


def judged(
    earned: Earned | None,
    *,
    key: str,
    features: Features,
    action: str,
    now: datetime,
    consequence: str = "reversible",
    sure: float | None = None,
    stated: float | None = None,
    ceiling: Level = Level.SAMPLED,
) -> Judged:
    """Return whether an action that policy ruled `gate` passes.

    Args:
        earned: what its class may do; None for a class that nobody ever promoted or demoted.
        key: the digest of its own key.
        features: what was measured of it.
        action: its id, from which its audit is drawn.
        now: the moment; nothing passes that nobody watches any more.
        consequence: of its tool, for the words.
        sure: the confidence while there is no certificate, 0..1.
        stated: the threshold that the policy states, uncertified; it counts only while there is no row.
        ceiling: the highest level at which the policy lets anything of this tool pass.
    """
    if earned is None:
        passes = sure is not None and stated is not None and sure >= stated
        basis: Literal["stated", "none"] = "none" if stated is None else "stated"
        return Judged("allow" if passes else "review", sure, stated, _stated(sure, stated, consequence), basis=basis)
    if earned.level == Level.SHADOW:
        return Judged("refuse", _confidence(earned, features, sure), None, SHADOWED, shadow=True)
    if earned.level not in EARNED:
        return Judged("review", _confidence(earned, features, sure), None, SUPERVISED)
    if earned.level > ceiling:
        return Judged("review", _confidence(earned, features, sure), None, CAPPED.format(WORDS[earned.level], WORDS[ceiling]))
    if earned.suspended or earned.key != key:
        void = not earned.suspended and earned.key != key
        return Judged("review", _confidence(earned, features, sure), None, earned.suspended or VOID, void=void)
    if earned.watched_until is None or now >= earned.watched_until:
        unwatched = _certified(earned, features, action)  # with share and draw, so that it certifies with what is audited
        return replace(unwatched, way="review", reason=_unwatched(earned.watched_until), audited=False)
    return _certified(earned, features, action)


def _certified(earned: Earned, features: Features, action: str) -> Judged:
    score = earned.head.score(features) if earned.head is not None else None
    number = draw(earned.seed, action) if earned.seed else None
    threshold, share = (earned.threshold, earned.share) if _is_sound(earned) else (None, 0.0)
    if score is None or threshold is None or number is None:
        return Judged("review", score, threshold, UNMEASURED, basis="certificate", share=share, draw=number)
    passes = score >= threshold
    relation = "reaches" if passes else "is below"
    reason = f"Confidence {score:.2f} {relation} the certified threshold {threshold:.2f} (level {WORDS[earned.level]})."
    audited = passes and number < share
    way: Way = "allow" if passes else "review"
    return Judged(way, score, threshold, reason, audited, basis="certificate", share=share, draw=number)


def _is_sound(earned: Earned) -> bool:
    """Tell whether threshold and share are numbers under which something may pass: nothing does without a chance of an audit."""
    return earned.threshold is not None and 0 <= earned.threshold <= 1 and 0 < earned.share <= 1


def _confidence(earned: Earned, features: Features, sure: float | None) -> float | None:
    return earned.head.score(features) if earned.head is not None else sure


SHADOWED = "This class of actions is in shadow: what the agent proposes is recorded and decided on, and nothing of it runs."
SUPERVISED = "Every action of this class is reviewed; its confidence only orders the queue."
VOID = "The certificate is void, because something that it was earned with has changed, so a person decides."
CAPPED = "This class was promoted to {}, which is above the ceiling of its tool now ({}), so a person decides."
UNMEASURED = "Confidence could not be measured, so a person decides."


UNWATCHED = (
    "Nobody watches this class{}, so a person decides. It passes again by itself when the queue is worked and a worker with the "
    "learner runs."
)


def _unwatched(until: datetime | None) -> str:
    return UNWATCHED.format(f" since {until:%Y-%m-%d %H:%M} UTC" if until is not None else " now")


def _stated(sure: float | None, threshold: float | None, consequence: str) -> str:
    if threshold is None:
        return f"No certificate lets a {consequence} action run unreviewed; its confidence only orders the queue."
    if sure is None:
        return UNMEASURED
    relation = "reaches" if sure >= threshold else "is below"
    return f"Confidence {sure:.2f} {relation} the stated, uncertified threshold {threshold:.2f}."


def on_record(earned: Earned | None, found: Judged, key: str, ceiling: Level = Level.SAMPLED) -> dict[str, Any]:
    """Return what an action's row keeps of this, so that the draw can be checked and the row can certify later."""
    if earned is None:
        return {"key": key, "level": int(Level.SUPERVISED), "ceiling": int(ceiling), "basis": found.basis}
    return {
        "key": key,
        "level": int(earned.level),
        "ceiling": int(ceiling),
        "basis": found.basis,
        "certificate": earned.certificate,
        "version": earned.version,
        "share": found.share,
        "draw": found.draw,
        "audited": found.audited,
    }
