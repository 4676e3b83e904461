"""An edit: the same tool with other arguments, checked like a proposal; where a second person is needed it is asked about anew."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from langchain_core.tools import BaseTool
from pydantic import ValidationError

from ...tools.declaration import ActionRefused, Case, dry_run, schema_digest, schema_of
from ..actions import Action
from ..audit import records
from ..audit.masking import hidden, restored, scrubbed, still_masked
from ..canonical import NotCanonical
from ..errors import InvalidEdit, UnknownTool
from ..proposals import NotFitting, facts_of, fitting
from ..rules.policy import Ruled
from ..rules.terms import combined, rank
from ..store import reviews
from ..store.models import ActionRow, ReviewRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession
from ..wiring import Gate
from .asking import set_timers, terms_of
from .decisions import Edit

_NUMBER = re.compile(r"[0-9][0-9.,]*")


@dataclass(frozen=True, slots=True)
class Edited:
    """An action as a person changed it, and what the policy says about that."""

    action: Action
    ruled: Ruled


async def edited_action(gate: Gate | None, answer: Edit, row: ActionRow, shown: Mapping[str, Any]) -> Edited:
    """Return the edited action, checked against schema, dry run and policy; raises InvalidEdit, UnknownTool.

    `shown` are the arguments the reviewer changed; what was hidden of them and came back untouched stays what it is.
    """
    tool = gate.tools.get(row.tool) if gate is not None else None
    if gate is None or tool is None:
        where = f"edit it in the browser, at a desk that serves {row.agent!r}"
        raise UnknownTool(f"This process does not offer the tool {row.tool!r}; {where}.")
    if schema_digest(tool) != row.tool_digest:
        raise InvalidEdit({"": f"the tool {row.tool} has changed since this was proposed; reject it instead"})
    args = restored(answer.args, shown, row.secrets)
    if hiding := still_masked(args, row.secrets):
        raise InvalidEdit({hiding[0].split(".")[0]: f"{hiding[0]} is hidden: leave it as it is, or enter a new value"})
    try:
        action = Action(
            row.id, row.tenant, row.thread, row.agent, row.requester, row.tool, row.tool_digest,
            _fitting(tool, args), row.consequence,  # type: ignore[arg-type]  # rows hold consequences only
        )  # fmt: skip
        return Edited(action, await _acceptable(gate, tool, action, row))
    except InvalidEdit as error:
        told = sorted({*hidden(shown, row.secrets), *hidden(args, row.secrets)}, key=len, reverse=True)
        raise InvalidEdit(scrubbed(error.problems, told)) from None


def _fitting(tool: BaseTool, args: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return fitting(tool, schema_of(tool), args)
    except ValidationError as error:
        problems = {str(one["loc"][0]) if one["loc"] else "": str(one["msg"]) for one in error.errors(include_url=False)}
        raise InvalidEdit(problems) from None
    except (NotCanonical, NotFitting) as error:
        raise InvalidEdit({"": str(error)}) from None


async def _acceptable(gate: Gate, tool: BaseTool, action: Action, row: ActionRow) -> Ruled:
    """Return what the policy rules on the edited action; raises InvalidEdit when it or the dry run refuses."""
    text = next((turn["text"] for turn in reversed(row.conversation) if turn["role"] == "requester"), "")
    case = Case(action.tenant, action.thread, action.requester, text, action.id)
    try:
        found = await dry_run(tool, action.args, case)
    except ActionRefused as error:
        raise InvalidEdit({"": str(error)}) from None
    except Exception as error:  # what cannot be tried out cannot be vouched for
        raise InvalidEdit({"": f"the dry run could not be carried out ({type(error).__name__}: {error})"[:500]}) from error
    evidence = () if found is None else ({"source": "dry run", "text": found},)
    # the legal values limit what the model may propose; a person answers for more, as far as schema, dry run and policy go
    ruled = _unrevealing(await gate.policy.rule(facts_of(action, text, evidence, None)), action, row)
    if ruled.kind == "refuse":
        raise InvalidEdit({"": " ".join(ruled.reasons)})
    return ruled


def _unrevealing(ruled: Ruled, action: Action, row: ActionRow) -> Ruled:
    """Return a ruling whose reasons tell no secret, as those of the proposal do not."""
    texts = hidden(action.args, row.secrets)
    return replace(ruled, rulings=tuple(replace(one, reason=scrubbed(one.reason, texts)) for one in ruled.rulings))


def needs_second(review: ReviewRow, row: ActionRow, ruled: Ruled) -> bool:
    """Tell whether an edit needs somebody besides its author: by the terms, or because the policy is stricter about it."""
    proposed, terms = terms_of(row), ruled.terms
    by_terms = review.quorum > 1 or review.second_for_edits or terms.second_for_edits
    return by_terms or terms.quorum > proposed.quorum or rank(terms.role) > rank(proposed.role) or _says_more(ruled, row.reasons)


def _says_more(ruled: Ruled, reasons: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether there is a reason to review that was not there before; the numbers in it may be others."""
    before = Counter(_gist(one["check"], one["text"]) for one in reasons if one["ruling"] == "review")
    after = Counter(_gist(one.check, one.reason) for one in ruled.rulings if one.kind == "review")
    return bool(after - before)


def _gist(check: str, text: str) -> tuple[str, str]:
    return check, _NUMBER.sub("#", text)


async def ask_edited(tx: AsyncSession, review: ReviewRow, row: ActionRow, edited: Edited, author: UserRow, now: datetime) -> None:
    """Let a locked review ask about the edited action; as its next version, under stricter terms, if it needs a second person."""
    digest = edited.action.digest()
    if digest == review.digest:
        return
    values: dict[str, Any] = {"digest": digest, "args": edited.action.args}
    version, replaced = review.version, review.digest
    if needs_second(review, row, edited.ruled):
        role = max(review.role, edited.ruled.terms.role, key=rank)
        # the edit is its author's approval, so that one more makes two; it is none where the author is below the role
        least = 2 if rank(author.role) >= rank(role) else 1
        values |= {
            "version": review.version + 1,
            "role": role,
            "quorum": max(review.quorum, edited.ruled.terms.quorum, least),
            "second_for_edits": review.second_for_edits or edited.ruled.terms.second_for_edits,
        }
    await reviews.change(tx, review, "pending", **values)
    set_timers(review, edited.ruled.terms, now)
    if review.version != version:
        records.replaced(tx, review, version, replaced, now, author.name)


async def ask_proposed(tx: AsyncSession, review: ReviewRow, row: ActionRow, actor: str, now: datetime) -> None:
    """Let a locked review ask about the proposed action again, by as many people as it was proposed to; the role stays."""
    terms, edited = terms_of(row), review.digest
    review.digest, review.args = row.digest, None
    review.quorum, review.second_for_edits = terms.quorum, terms.second_for_edits
    tx.add(review)
    await tx.flush()
    records.replaced(tx, review, review.version - 1, edited, now, actor)


def valid_for(row: ActionRow, edited: Edited | None) -> float | None:
    """Return how many seconds an approval of the action, or of its edit, can be used; None: until it is taken back."""
    return combined([terms_of(row), *([edited.ruled.terms] if edited is not None else [])]).valid
