"""Reads messages whose right action is known, as a stream to be played; it changes no label and skips no row."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ...graph.errors import AssentError
from ...graph.proposing import Offer
from ..examples import Call

KEY_ARGUMENTS = ("category", "topic", "reason", "team")
"""The arguments that say what kind of action it is; the others belong to one case and are not learned here."""


class UnreadableRows(AssentError):
    """The file cannot be used as a labelled stream."""


class Action(BaseModel):
    """The right action of a row."""

    model_config = ConfigDict(extra="ignore", strict=True)

    tool: str
    args: dict[str, Any]


class Row(BaseModel):
    """One line of the file: a text with a `category`, or with an `action` of tool and arguments."""

    model_config = ConfigDict(extra="ignore", strict=True)

    text: str
    category: str | None = None
    action: Action | None = None

    @model_validator(mode="after")
    def _is_labelled(self) -> Row:
        if (self.category is None) == (self.action is None):
            raise ValueError("a row needs a category or an action")
        return self

    @property
    def call(self) -> Call:
        """The right action, reduced to its kind."""
        if self.action is None:
            return Call("route", {"category": self.category})
        return _kind_only(self.action)


class Demonstration(Action):
    """One line of a playbook: a text that the developer wrote, and its action."""

    text: str


def _kind_only(action: Action) -> Call:
    return Call(action.tool, {name: action.args[name] for name in KEY_ARGUMENTS if name in action.args})


@dataclass(frozen=True, slots=True)
class Labelled:
    """One message of a stream, and the action a person would decide on."""

    text: str
    right: Call


def read_rows(path: Path) -> list[Labelled]:
    """Return the labelled messages of a JSONL file, or of a folder's files messages*.jsonl; raises UnreadableRows."""
    try:
        files = sorted(path.glob("messages*.jsonl")) if path.is_dir() else [path]
        rows = [row for file in files for row in _rows_of(file)]
    except OSError as error:
        raise UnreadableRows(f"{path} cannot be read: {error.strerror}.") from None
    if not rows:
        raise UnreadableRows(f"{path} holds no labelled messages.")
    return rows


def _rows_of(path: Path) -> list[Labelled]:
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = Row.model_validate_json(line)
        except ValidationError as error:
            raise UnreadableRows(f"{path.name}, line {number}: {error.errors()[0]['msg']}.") from None
        found.append(Labelled(row.text, row.call))
    return found


def read_playbook(path: Path) -> list[Labelled]:
    """Return a folder's playbook.jsonl: demonstrations with `text`, `tool` and `args`; empty when it has none."""
    file = path / "playbook.jsonl"
    if not file.is_file():
        return []
    found = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        try:
            shown = Demonstration.model_validate_json(line)
        except ValidationError as error:
            raise UnreadableRows(f"{file.name}, line {number}: {error.errors()[0]['msg']}.") from None
        found.append(Labelled(shown.text, _kind_only(shown)))
    return found


def kind(call: Call) -> str:
    """Return what kind of action it is: the tool and the values of its key arguments."""
    return " ".join([call.tool, *map(str, call.args.values())])


def draw(rows: Sequence[Labelled], categories: int | None, messages: int | None, seed: int) -> list[Labelled]:
    """Return a stream: the messages of so many kinds of action, drawn and shuffled by the seed."""
    chance = random.Random(seed)  # noqa: S311
    kinds = sorted({kind(row.right) for row in rows})
    if categories is not None:
        if not 2 <= categories <= len(kinds):
            raise UnreadableRows(f"Draw from 2 to {len(kinds)} categories; the file has no more.")
        kinds = chance.sample(kinds, categories)
    chosen = [row for row in rows if kind(row.right) in set(kinds)]
    chance.shuffle(chosen)
    return chosen[:messages]


def offers_for(calls: Iterable[Call]) -> tuple[Offer, ...]:
    """Return what a model is offered: one tool per name, with the values that occur as enumerations."""
    distinct = {json.dumps([call.tool, call.args], sort_keys=True): call for call in calls}
    by_tool: dict[str, list[dict[str, Any]]] = {}
    for _, call in sorted(distinct.items()):
        by_tool.setdefault(call.tool, []).append(call.args)
    return tuple(_offer(tool, choices) for tool, choices in by_tool.items())


def _offer(tool: str, choices: Sequence[dict[str, Any]]) -> Offer:
    names = list(dict.fromkeys(name for choice in choices for name in choice))
    values = {name: list(dict.fromkeys(choice[name] for choice in choices if name in choice)) for name in names}
    schema = {
        "type": "object",
        "properties": {name: {"enum": allowed} for name, allowed in values.items()},
        "required": [name for name in names if all(name in choice for choice in choices)],
        "additionalProperties": False,
    }
    return Offer(tool, f"{tool.replace('_', ' ')} the message".capitalize(), schema, tuple(choices))
