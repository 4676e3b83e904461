"""The labelled actions of a class under one key, and which of them certify: those of equal chance, whatever became of them.

A certificate's test counts errors among rows as if each action had had the same chance of being among them. A desk gives them
unequal ones. While everything is reviewed (in shadow, supervised, suspended) every gated action is asked about: chance 1. At a
level that lets things pass, what is below the threshold is still asked about (chance 1), and of what passes only the audited are
(chance: the share). Counted as they come, such rows would hold too many that scored low.

So they are thinned. Every action has a number u, uniform in [0, 1) and drawn apart from what the action is: where audits are drawn,
the audit's own draw, else a hash of the action's id under the key. With rho the share in force, a row certifies iff u < rho. An
audited action was labelled iff u < rho, so each action, passed or reviewed, right or wrong, is among them iff u < rho: with chance
rho, independent of verdict, score and outcome. While everything is asked about rho is 1, and all rows certify.

And only the newest stretch of time with one share certifies: the time since the last signature, suspension or step that changed it.
Once something passes, the rows of full review certify no more, however many they are, because they speak of the time before: where
the agent has got worse since, they would outvote the audits that say so. Which rows these are is told by time and share, never by a
label. The older ones still fit the head.

While a threshold that the policy states lets actions pass, those are never labelled, and rows of that time certify nothing: what
scored high had no chance. To certify such a class, a lead demotes it to `supervised` first, after which the stated threshold counts
no more.

An answer in the tool's place (`respond`) is left out; so is what was erased or withdrawn, is not effective yet, or was never
decided. Known-answer items and second looks measure reviewers and never certify.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import takewhile
from typing import Literal

from ...graph.authority.probing import outcome_of
from ...graph.autonomy.classes import Key, key_of
from ...graph.autonomy.drawing import draw
from ...graph.autonomy.levels import Level
from ...graph.autonomy.scoring import Features, features_of
from ...graph.store import autonomy, labelled
from ...graph.store.labelled import Gated
from ...graph.store.session import Store

Source = Literal["review", "audit", "shadow"]

FINAL = ("approved", "rejected", "answered")
"""The reviews whose last decision settles them."""

STATED = (
    "A threshold that the policy states lets actions of this class pass that nobody labels, so its rows certify nothing. "
    "Demote the class to supervised; after that the stated threshold counts no more, and new rows certify."
)


@dataclass(frozen=True, slots=True)
class Label:
    """A gated action that a person found right or wrong."""

    action: str
    group: str
    """Its conversation."""
    features: Features
    correct: bool
    source: Source
    decision: str
    """approve, edit, reject."""
    at: datetime
    """When it was proposed."""
    chance: float
    """With which it came to be labelled: 1 when everything like it was asked about, the share for an audit."""
    share: float
    """The audit share in force for its class then; 1 while nothing passed."""
    draw: float
    """Its number u, uniform in [0, 1) and independent of what it is."""
    readable: bool = True
    """Whether every signal that counts could be read; what is not readable never passes, however it scores."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of a class under one key."""

    agent: str
    tool: str
    key: Key
    consequence: str = ""
    ceiling: Level = Level.SAMPLED
    rows: tuple[Label, ...] = ()
    """Newest first."""
    share: float = 1.0
    """rho: the audit share in force for its newest actions, labelled or not; 1 while nothing passes."""
    begun: datetime | None = None
    """When the first action was proposed of the newest stretch with this share; None for all of the rows."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Actions by what became of them: labelled by `review`, `audit` or `shadow`; `undecided`, `unaudited`, `respond`, `stated`,
    `erased`."""
    decisions: Mapping[str, int] = field(default_factory=dict)
    """Labelled actions by approve, edit and reject."""
    stated: bool = False
    """Whether a threshold that the policy states lets actions of it pass now."""


async def labels_of(
    store: Store,
    tenant: str,
    agent: str,
    tool: str,
    now: datetime,
    *,
    key: str = "",
    since: datetime | None = None,
    limit: int = labelled.SCANNED,
) -> Labels | None:
    """Return what is known of a class; None if policy never ruled `gate` on an action of it.

    Args:
        store: the desk's rows.
        tenant: whose.
        agent: who proposes.
        tool: what it uses.
        now: decisions that take effect later are left out.
        key: the digest under which; empty for that of the newest action.
        since: actions proposed earlier are left out, as after an alarm, which says that they no longer speak for what comes.
        limit: so many of the newest actions are read at most.
    """
    found: list[Gated] = []
    async for row in labelled.gated(store, tenant, agent, tool, limit):
        if since is not None and row.created_at < since:
            break
        key = key or str(row.earned.get("key", ""))
        if row.earned.get("key") == key:
            found.append(row)
    async with store.read() as tx:
        known = await autonomy.get(tx, tenant, agent, tool)
    return gathered(agent, tool, found, now, known.since if known is not None else None) if found else None


def gathered(agent: str, tool: str, found: Sequence[Gated], now: datetime, moved: datetime | None = None) -> Labels:
    """Return what rows of one key, newest first, come to; what was proposed before its class last `moved` certifies nothing."""
    rows, counts = [], Counter[str]()
    for row in found:
        label, kind = _label(tool, row, now)
        counts[kind] += 1
        if label is not None:
            rows.append(label)
    newest = found[0]
    share, begun = _stretch(found, moved)
    return Labels(
        agent=agent,
        tool=tool,
        key=key_of(agent, tool, newest.tool_digest, newest.provenance),
        consequence=newest.consequence,
        ceiling=Level(int(newest.earned.get("ceiling", Level.SUPERVISED))),
        rows=tuple(rows),
        share=share,
        begun=begun,
        counts=dict(counts),
        decisions=dict(Counter(row.decision for row in rows)),
        stated=newest.earned.get("basis") == "stated",
    )


def _stretch(found: Sequence[Gated], moved: datetime | None) -> tuple[float, datetime | None]:
    """Return the share in force for the newest actions and when the first of these was proposed; stated thresholds are left out.

    A signature, or a step down, was made because of what the rows before it said: asked again, they are a chosen sample.
    """
    certifying = [row for row in found if row.earned.get("basis") != "stated" and (moved is None or row.created_at >= moved)]
    if not certifying:
        return 1.0, moved
    share = _share(certifying[0])
    return share, list(takewhile(lambda row: _share(row) == share, certifying))[-1].created_at


def _label(tool: str, row: Gated, now: datetime) -> tuple[Label | None, str]:
    """Return the label of an action if it has one, and under what it is counted."""
    if row.erased_at is not None:
        return None, "erased"
    source: Source = "audit" if row.probe == "audit" else "shadow" if row.probe == "shadow" else "review"
    outcome, decision = _said(row, source, now)
    if row.earned.get("basis") == "stated":
        return None, "stated"
    if outcome not in ("correct", "wrong"):
        passed = row.verdict == "allow" and source == "review"
        return None, "unaudited" if passed else "respond" if outcome == "left out" else "undecided"
    share = _share(row)
    label = Label(
        action=row.id,
        group=row.thread,
        features=features_of(tool, row.readings, row.reasons),
        correct=outcome == "correct",
        source=source,
        decision=decision,
        at=row.created_at,
        chance=share if source == "audit" else 1.0,
        share=share,
        draw=_drawn(row),
        readable=all(reading.get("value") is not None for reading in row.readings if reading.get("gates")),
    )
    return label, source


def _said(row: Gated, source: Source, now: datetime) -> tuple[str, str]:
    """Return what a person's word makes of the proposal, empty without one, and the word."""
    if source != "review":
        return row.outcome or "", row.answer or ""
    if row.status not in FINAL or row.decision is None or row.effective_at is None or row.effective_at > now:
        return "", ""
    changed = row.decision in ("approve", "edit") and row.accepted is not None
    decision = "edit" if changed else row.decision
    return outcome_of(decision, row.args, row.args if row.accepted is None else row.accepted, row.args_schema), decision


def _share(row: Gated) -> float:
    """Return the audit share in force when an action was proposed; 1 when nothing of its class passed."""
    earned = row.earned
    return float(earned.get("share") or 1.0) if earned.get("basis") == "certificate" else 1.0


def _drawn(row: Gated) -> float:
    drawn = row.earned.get("draw")
    return float(drawn) if drawn is not None else draw(f"certifying rows {row.earned.get('key')}", row.id)


def uniform(labels: Labels) -> tuple[Label, ...]:
    """Return the rows that certify: of the newest stretch with one share, thinned to one chance of being labelled (see above)."""
    return thin(recent(labels), labels.share)


def recent(labels: Labels) -> tuple[Label, ...]:
    """Return the labelled rows of the newest stretch of time in which one share was in force."""
    newest = takewhile(lambda row: row.share == labels.share and (labels.begun is None or row.at >= labels.begun), labels.rows)
    return tuple(newest)


def of_one_chance(labels: Labels) -> tuple[Label, ...]:
    """Return the most rows of all times that had one chance of being labelled: for figures of the past, which certify nothing."""
    rho = min((row.share for row in labels.rows), default=1.0)
    thinned, whole = thin(labels.rows, min(rho, labels.share)), tuple(row for row in labels.rows if row.share == 1.0)
    return whole if len(whole) >= len(thinned) else thinned


def thin(rows: Iterable[Label], rho: float) -> tuple[Label, ...]:
    """Return the rows whose draw is below rho; raises ValueError if one of them had a smaller chance of being labelled."""
    kept = tuple(rows)
    if any(row.share < rho for row in kept):
        raise ValueError(f"a share of {rho} is above the lowest that was in force, so rows would be missing")
    return tuple(row for row in kept if row.draw < rho)


def one_each(rows: Iterable[Label], key: str) -> tuple[Label, ...]:
    """Return one row of every conversation, chosen by a hash under the key; rows of one conversation resemble each other."""
    chosen: dict[str, Label] = {}
    for row in rows:
        known = chosen.get(row.group)
        if known is None or _lot(key, row) < _lot(key, known):
            chosen[row.group] = row
    return tuple(chosen.values())


@lru_cache(maxsize=65_536)
def _number(seed: str, name: str) -> float:
    """Return a draw, remembered: the same rows are split anew at every look."""
    return draw(seed, name)


def _lot(key: str, row: Label) -> float:
    return _number(f"one of a conversation {key}", row.action)


def split(rows: Iterable[Label], key: str) -> tuple[tuple[Label, ...], tuple[Label, ...]]:
    """Return the rows to fit on and those to certify on: half of the conversations each, by a hash under the key, for good."""
    kept = tuple(rows)
    fits = {group for group in {row.group for row in kept} if _number(f"fit or certify {key}", group) < 0.5}
    return tuple(row for row in kept if row.group in fits), tuple(row for row in kept if row.group not in fits)
