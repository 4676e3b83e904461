"""Gathers what advice needs from a desk's own rows: volumes, labels, times, windows, reviewers, certificates; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any, cast

from ...graph.access.people import require
from ...graph.authority.probing import LEFT_OUT
from ...graph.autonomy.classes import key_of
from ...graph.autonomy.levels import Level
from ...graph.clock import Clock
from ...graph.comparing import only_cosmetic
from ...graph.looking.readers import reader
from ...graph.rules.terms import of_json
from ...graph.store import autonomy, classes, probes, volumes
from ...graph.store.autonomy_models import AutonomyRow, CertificateRow, ProbeRow
from ...graph.store.classes import Seen
from ...graph.store.people_models import UserRow
from ...graph.store.session import AsyncSession, Store
from ...graph.store.volumes import Answered, Proposed
from ...tools.declaration import CONSEQUENCES, Consequence
from ..reviewing.contested import known_items
from ..reviewing.reviewers import COUNTED, Item
from .action_types import ActionType, CertifiedShare, Mode

MONTH = timedelta(days=30)
PROBED = timedelta(days=180)
"""How far back known-answer items speak for today's reviewers, and shadow reviews for today's class."""
SETTLED = ("approved", "rejected", "answered")

Class = tuple[str, str]
"""An agent and one of its tools."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool that an agent of this process offers, whether or not it was ever proposed."""

    agent: str
    tool: str
    consequence: Consequence
    undo: bool = False
    ceiling: Level | None = None
    """The highest level that the policy leaves it."""


@dataclass(slots=True)
class _Told:
    """What people's standing decisions said of a class."""

    labelled: int = 0
    wrong: int = 0
    edited: int = 0
    left_out: int = 0
    seen: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What was read for a tenant in one view."""

    now: datetime
    proposed: Sequence[Proposed]
    newest: Mapping[Class, Proposed]
    told: Mapping[Class, _Told]
    undoable: set[str]
    held: Mapping[str, float]
    known: Sequence[Item]
    states: Mapping[Class, AutonomyRow]
    certificates: Mapping[Class, Sequence[CertificateRow]]


async def desk_types(store: Store, clock: Clock, actor: str, offered: Iterable[Offered] = ()) -> list[ActionType]:
    """Return the action types of the actor's tenant with what its rows say of them; a viewer may ask. Raises NotAllowed.

    Of the newest decisions those count that stand, were made under the newest model, prompt, policy and schema of their class, and
    were no answer in the tool's place: approved is right, edited or rejected wrong, a cosmetic edit right. The rest is `left_out`.
    Answers about a class in shadow count the same way.
    """
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        rows = await _read(tx, user, clock())
    tools = {(one.agent, one.tool): one for one in offered}
    return [_type(rows, name, tools.get(name)) for name in sorted(rows.newest.keys() | tools.keys())]


async def _read(tx: AsyncSession, user: UserRow, now: datetime) -> _Rows:
    tenant = user.tenant
    proposed = await volumes.proposed(tx, tenant, now - MONTH)
    if reader(user):  # or whoever watches the volume could tell what is asked about once more
        proposed = _with(proposed, await classes.asked_blind(tx, tenant, now - MONTH, reader(user)))
    newest: dict[Class, Proposed] = {}
    for one in sorted(proposed, key=lambda one: one.last):
        newest[one.agent, one.tool] = one
    states = {(row.agent, row.tool): row for row in await autonomy.every(tx, tenant)}
    told = await _told(tx, await volumes.answered(tx, tenant), newest, now)
    _add_shadow(told, await probes.answered(tx, tenant, "shadow", now - PROBED), newest)
    return _Rows(
        now=now,
        proposed=proposed,
        newest=newest,
        told=told,
        undoable=await volumes.undoable(tx, tenant),
        held=await volumes.held(tx, tenant),
        known=await known_items(tx, tenant, now - PROBED, now),
        states=states,
        certificates={name: await autonomy.certificates(tx, tenant, *name) for name in newest},
    )


def _type(rows: _Rows, name: Class, tool: Offered | None) -> ActionType:
    agent, word = name
    newest, told, state = rows.newest.get(name), rows.told.get(name, _Told()), rows.states.get(name)
    key = _key(newest) if newest else ""
    consequence = _consequence(newest, tool)
    certificate = _certified(rows.certificates.get(name, ()), key)
    shown = [one for one in rows.known if one.expected == "wrong" and one.outcome != LEFT_OUT and one.standing in COUNTED]
    return ActionType(
        tool=word,
        agent=agent,
        consequence=consequence,
        volume=_monthly([one for one in rows.proposed if (one.agent, one.tool) == name], rows.now),
        labelled=told.labelled,
        wrong=told.wrong,
        edited=told.edited,
        review_seconds=median(told.seen) if told.seen else None,
        wait_seconds=median(told.waited) if told.waited else None,
        undo=word in rows.undoable or bool(tool and tool.undo),
        veto_seconds=_veto(rows, name),
        known=len(shown),
        caught=sum(one.outcome == "wrong" for one in shown),
        certificate=certificate,
        ceiling=_ceiling(newest, tool, consequence, certified=certificate is not None),
        drift=bool(state and state.suspended and state.key == key),
        left_out=told.left_out,
    )


def _consequence(newest: Proposed | None, tool: Offered | None) -> Consequence:
    """Return what this process declares, else what the rows say; what nobody knows cannot be taken back."""
    if tool is not None:
        return tool.consequence
    stated = newest.consequence if newest else ""
    return cast(Consequence, stated) if stated in CONSEQUENCES else "irreversible"


def _ceiling(newest: Proposed | None, tool: Offered | None, consequence: Consequence, *, certified: bool) -> Mode | None:
    """Return the loosest mode that the policy's ceiling leaves, as this process knows it or the newest row says; None: not told."""
    said = newest.provenance.get("earned", {}).get("ceiling") if newest else None
    level = tool.ceiling if tool is not None and tool.ceiling is not None else said
    return None if level is None else mode_within(Level(level), consequence, certified=certified)


def mode_within(ceiling: Level, consequence: Consequence, *, certified: bool) -> Mode:
    """Return the loosest mode within a ceiling of levels.

    At `certified` only what a certificate covers passes: automatic, which for a costly tool needs a certificate in any case.
    """
    if ceiling < Level.CERTIFIED:
        return "in the loop"
    if ceiling == Level.CERTIFIED:
        return "automatic" if certified or consequence in ("costly", "irreversible") else "in the loop"
    return "on the loop" if ceiling == Level.MONITORED else "automatic"


def _key(one: Proposed | Answered) -> str:
    return key_of(one.agent, one.tool, one.tool_digest, one.provenance).digest()


def _with(proposed: Sequence[Proposed], waiting: Iterable[Seen]) -> list[Proposed]:
    """Return sums to which what waits blind is added, each to the newest of its class."""
    found = sorted(proposed, key=lambda one: one.last)
    for more in waiting:
        places = [place for place, one in enumerate(found) if (one.agent, one.tool) == (more.agent, more.tool)]
        if places:
            newest = found[places[-1]]
            found[places[-1]] = newest._replace(recent=newest.recent + more.actions, last=max(newest.last, more.latest))
    return found


def _monthly(sums: Sequence[Proposed], now: datetime) -> float:
    """Return the actions a month: those of the last month, or of the days since the first one, and of one day at least."""
    if not sums:
        return 0.0
    covered = min(MONTH, max(timedelta(days=1), now - min(one.first for one in sums)))
    return round(sum(one.recent for one in sums) * (MONTH / covered), 1)


def _veto(rows: _Rows, name: Class) -> float | None:
    """Return the veto window that the class has by its level, by its policy's terms, or had lately."""
    state, newest = rows.states.get(name), rows.newest.get(name)
    if state is not None and state.veto is not None:
        return state.veto
    terms = of_json(newest.provenance.get("terms", {})) if newest else None
    return terms.veto if terms is not None and terms.veto is not None else rows.held.get(name[1])


def _certified(found: Iterable[CertificateRow], key: str) -> CertifiedShare | None:
    """Return what the certificate with the lowest bound lets pass, among those of this key that are offered or signed."""
    valid = [
        row
        for row in found
        if row.key == key and row.status in ("offered", "signed") and row.threshold is not None and row.coverage
    ]
    best = min(valid, key=lambda row: (row.bound, -row.coverage), default=None)
    return CertifiedShare(best.coverage, best.bound, best.n, best.k) if best else None


async def _told(
    tx: AsyncSession, answers: Sequence[Answered], newest: Mapping[Class, Proposed], now: datetime
) -> dict[Class, _Told]:
    taken_back = {one.withdraws for one in answers if one.type == "withdrawn"}
    by_action: dict[str, list[Answered]] = {}
    for one in answers:
        standing = one.type != "withdrawn" and one.id not in taken_back and one.effective_at <= now
        if standing and one.status in SETTLED:
            by_action.setdefault(one.action, []).append(one)
    cosmetic = await _cosmetic(tx, [one.id for several in by_action.values() for one in several if one.type == "edit"])
    told: dict[Class, _Told] = {}
    for several in by_action.values():
        first = several[0]
        said = told.setdefault((first.agent, first.tool), _Told())
        current = newest.get((first.agent, first.tool))
        if current is None or _key(first) != _key(current):
            said.left_out += 1
        else:
            _count(said, several, cosmetic)
    return told


def _count(said: _Told, several: Sequence[Answered], cosmetic: set[str]) -> None:
    """Add what the standing decisions on one action say: one that changed or refused it makes it wrong, whoever else approved."""
    said.seen += [one.seen_ms / 1000 for one in several if one.seen_ms is not None]
    if (decided := several[0].decided_at) is not None:
        said.waited.append(max(0.0, (decided - several[0].asked_at).total_seconds()))
    types = {"approve" if one.id in cosmetic else one.type for one in several}
    if types == {"respond"} or not types & {"approve", "edit", "reject"}:
        return
    said.labelled += 1
    said.wrong += bool(types & {"edit", "reject"})
    said.edited += "edit" in types and "reject" not in types


def _add_shadow(told: dict[Class, _Told], answered: Iterable[ProbeRow], newest: Mapping[Class, Proposed]) -> None:
    """Add what people said of actions in shadow, which were asked about without any of them running."""
    for one in answered:
        current = newest.get((one.agent, one.tool))
        if current is None or one.outcome not in ("correct", "wrong"):
            continue
        said = told.setdefault((one.agent, one.tool), _Told())
        if one.key != _key(current):
            said.left_out += 1
            continue
        said.labelled += 1
        said.wrong += one.outcome == "wrong"
        said.edited += one.outcome == "wrong" and one.decision == "edit"
        said.seen += [one.seen_ms / 1000] if one.seen_ms is not None else []


async def _cosmetic(tx: AsyncSession, edits: Sequence[str]) -> set[str]:
    """Return the edits that changed only what is declared cosmetic."""
    found: Any = await volumes.edited(tx, edits)
    return {one.decision for one in found if one.edited is not None and only_cosmetic(one.args, one.edited, one.schema)}
