"""Reads customers' messages, the packaged labelled ones and anybody's own; it guesses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from . import data as packaged

LONGEST = 20_000
"""A message longer than this is not read, in characters."""

Split = Literal["train", "held_out"]
Hostile = Literal["injection", "hidden", "other_customer"]


class MessageFileError(ValueError):
    """A file of messages cannot be used; the text is one line that names the file, the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Message:
    """One labelled message: what a customer wrote, and the one right action."""

    id: str
    customer: str
    text: str
    tool: str
    args: Mapping[str, Any]
    """The arguments that must be right, as plain JSON; the others are free."""
    split: Split
    hostile: Hostile | None
    note: str
    """Why this is the right action."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of somebody's own file; `line` counts from 1."""

    line: int
    text: str
    customer: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Inbox:
    """What a file held: the messages, and a line of text for each one that was skipped."""

    messages: tuple[Incoming, ...]
    skipped: tuple[str, ...]


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tool: str
    args: dict[str, Any]


class _Labelled(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    customer: str
    text: str = Field(min_length=1, max_length=LONGEST)
    action: _Action
    split: Split
    hostile: Hostile | None
    note: str


class _Incoming(BaseModel):
    text: StrictStr
    customer: StrictStr | None = None
    id: StrictStr | None = None


def packaged_messages(split: Split | None = None) -> tuple[Message, ...]:
    """Return the packaged labelled messages, all of them or one split, in file order."""
    found = (message for place in _packaged_files() for message in _labelled(place))
    return tuple(message for message in found if split is None or message.split == split)


def matches(label: Message, tool: str, args: Mapping[str, Any]) -> bool:
    """Say whether an action is the labelled one: the same tool, and every labelled argument equal as plain JSON."""
    return tool == label.tool and all(name in args and _same(args[name], value) for name, value in label.args.items())


def read_messages(path: str | os.PathLike[str]) -> Inbox:
    """Read JSON lines with `text` and, if they like, `customer` and `id`; other keys are ignored, blank lines too.

    A message over 20,000 characters is skipped and reported; the others go on.
    Raises MessageFileError if the file cannot be read or holds no message, or if a line is not a message.
    """
    file = Path(path)
    found: list[Incoming] = []
    skipped: list[str] = []
    for number, line in _lines(file):
        incoming = _incoming(f"{file}, line {number}", number, line)
        if len(incoming.text) > LONGEST:
            skipped.append(f"{file}, line {number}: the text has {len(incoming.text):,} characters, more than {LONGEST:,}; skipped")
        else:
            found.append(incoming)
    if not found and not skipped:
        raise MessageFileError(f"{file}: there is no message in this file")
    return Inbox(tuple(found), tuple(skipped))


def _same(proposed: Any, labelled: Any) -> bool:
    """Compare as JSON, so that 1, 1.0, True and "1" are four different values."""
    return json.dumps(proposed, sort_keys=True) == json.dumps(labelled, sort_keys=True)


def _packaged_files() -> list[Traversable]:
    places = [place for place in files(packaged).iterdir() if place.name.startswith("messages-")]
    return sorted((place for place in places if place.name.endswith(".jsonl")), key=lambda place: place.name)


def _labelled(place: Traversable) -> Iterator[Message]:
    for number, line in enumerate(place.read_text("utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = _Labelled.model_validate_json(line)
        except ValidationError as error:
            raise MessageFileError(f"{place.name}, line {number}: {_first(error)}") from None
        kind, args = row.action.tool, row.action.args
        yield Message(row.id, row.customer, row.text, kind, args, row.split, row.hostile, row.note)


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.open("rb") as source:
            for number, raw in enumerate(source, 1):
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                if line:
                    yield number, line
    except OSError as error:
        raise MessageFileError(f"{file}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise MessageFileError(f"{file}, line {number}: this is not UTF-8 text") from None


def _incoming(where: str, number: int, line: str) -> Incoming:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise MessageFileError(f"{where}: this is not JSON ({error.msg} at column {error.colno})") from None
    except (ValueError, RecursionError):
        raise MessageFileError(f"{where}: this JSON is too deep or holds a number that is too long") from None
    if not isinstance(row, dict):
        raise MessageFileError(f'{where}: expected an object such as {{"text": "..."}}, found {_kind(row)}')
    if "text" not in row:
        raise MessageFileError(f'{where}: the key "text" is missing')
    try:
        good = _Incoming.model_validate(row)
    except ValidationError as error:
        raise MessageFileError(f"{where}: {_first(error)}") from None
    if not good.text.strip():
        raise MessageFileError(f'{where}: "text" is empty')
    if any("\ud800" <= character <= "\udfff" for character in good.text):
        raise MessageFileError(f'{where}: "text" holds half a character (a lone surrogate)')
    return Incoming(number, good.text, good.customer, good.id)


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f'"{place}": {problem["msg"]}' if place else problem["msg"]


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {list: "a list", str: "a string", bool: "a boolean"}.get(type(value), "a number")
