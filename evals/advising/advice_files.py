"""Reads costs, action types and labelled rows from files; a file with a mistake is refused, with its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...graph.errors import AssentError
from ...graph.rules.marked_yaml import Marked, YamlError, read_yaml
from ...tools.declaration import Consequence
from ..certify.certificate import one_per_group
from .action_types import ActionType, CertifiedShare, Labels, Mode
from .oversight_costs import Costs

Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class AdviceFileError(AssentError):
    """The file cannot be used; nothing of it was taken."""


class WrongCosts(BaseModel):
    """What one wrong action costs, by consequence; what is left out keeps its default."""

    model_config = ConfigDict(extra="forbid")
    read: Amount | None = None
    reversible: Amount | None = None
    costly: Amount | None = None
    irreversible: Amount | None = None


class CostsGiven(BaseModel):
    """Costs as somebody writes them; what is left out keeps its default."""

    model_config = ConfigDict(extra="forbid")
    wrong: WrongCosts = WrongCosts()
    reviewer_hour: Amount | None = None
    waiting_hour: Amount | None = None
    review_seconds: Amount | None = None
    wait_seconds: Amount | None = None
    watched: Share | None = None
    reject_saves: Share | None = None
    undo_saves: Share | None = None

    @model_validator(mode="after")
    def _agree(self) -> CostsGiven:
        self.costs()
        return self

    def costs(self) -> Costs:
        """Return the costs."""
        given = self.model_dump(exclude_none=True)
        plain = Costs()
        return replace(plain, **{**given, "wrong": {**plain.wrong, **given["wrong"]}})


class _Certificate(BaseModel):
    model_config = ConfigDict(extra="forbid")
    coverage: Share
    bound: Share
    n: Count = 0
    wrong: Count = 0


class _Type(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tool: Annotated[str, Field(min_length=1, max_length=200)]
    agent: str = ""
    consequence: Consequence
    volume: Amount = 0.0
    n: Count = 0
    wrong: Count = 0
    edited: Count | None = None
    labels: Labels = "truth"
    review_seconds: Amount | None = None
    wait_seconds: Amount | None = None
    undo: bool = False
    veto_seconds: Amount | None = None
    known: Count = 0
    caught: Count = 0
    certificate: _Certificate | None = None
    drift: bool = False
    ceiling: Mode | None = None

    def action_type(self) -> ActionType:
        given = {name: getattr(self, name) for name in _Type.model_fields if name not in ("n", "certificate")}
        certificate = CertifiedShare(**self.certificate.model_dump()) if self.certificate else None
        return ActionType(labelled=self.n, certificate=certificate, **given)


class _Types(BaseModel):
    model_config = ConfigDict(extra="forbid")
    types: Annotated[list[_Type], Field(min_length=1, max_length=1_000)]


Model = TypeVar("Model", bound=BaseModel)


def costs_from(path: Path) -> Costs:
    """Return the costs of a YAML file; raises AdviceFileError."""
    given, _ = _read(path, CostsGiven)
    return given.costs()


def types_from(path: Path) -> list[ActionType]:
    """Return the action types of a YAML file, a list under `types`; raises AdviceFileError.

    `n` and `wrong` count labels of what is known to be right, for instance from an eval suite; with `labels: decisions` they are
    people's decisions, and count only with a measured catch rate (`known`, `caught`).
    """
    given, marked = _read(path, _Types)
    found = []
    for index, one in enumerate(given.types):
        try:
            found.append(one.action_type())
        except ValueError as error:
            mark = marked.mark(("types", index))
            raise AdviceFileError(f"{path}:{mark.line}:{mark.column}: {error}") from None
    return found


def rows_from(
    path: Path, types: Iterable[ActionType] = (), *, label: str = "correct", group: str = "group", seed: int = 0
) -> list[ActionType]:
    """Return action types with their labels counted from JSON Lines; raises AdviceFileError.

    Args:
        path: one labelled action a line: `tool`, `correct` (true or false), and `agent`, `consequence` and `group` where there are
            any. Of each group (a conversation) one row of a tool counts, because rows of one conversation are not independent.
        label: the name of the field that says whether it was right.
        group: the name of the field of its conversation.
        types: what else is known of the types; a tool that is neither in it nor states its consequence counts as irreversible.
        seed: from which the rows are drawn.
    """
    rows = list(_lines(path, label, group))
    known = {(one.agent, one.tool): one for one in types}
    for name in dict.fromkeys((row.agent, row.tool) for _, row in rows):
        of_it = [(number, row) for number, row in rows if (row.agent, row.tool) == name]
        groups = [(True, row.group) if row.group is not None else (False, number) for number, row in of_it]
        counted = [of_it[index][1] for index in one_per_group(groups, seed)]
        stated: Consequence = next((row.consequence for _, row in of_it if row.consequence), "irreversible")
        kind = known.get(name) or ActionType(name[1], stated, agent=name[0])
        wrong = sum(not row.correct for row in counted)
        known[name] = replace(kind, labelled=len(counted), wrong=wrong, edited=None, labels="truth")
    return list(known.values())


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")
    tool: Annotated[str, Field(min_length=1)]
    correct: bool
    agent: str = ""
    consequence: Consequence | None = None
    group: str | None = None


def _lines(path: Path, label: str, group: str) -> Iterable[tuple[int, _Row]]:
    for number, line in enumerate(_bytes(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except ValueError:
            raise AdviceFileError(f"{path}:{number}: this line is not JSON") from None
        if not isinstance(row, Mapping) or label not in row:
            raise AdviceFileError(f"{path}:{number}: this line has no {label!r}, which says whether the action was right")
        try:
            yield (
                number,
                _Row.model_validate({**row, "correct": row[label], "group": None if group not in row else str(row[group])}),
            )
        except ValidationError as error:
            raise AdviceFileError(f"{path}:{number}: {_first(error)}") from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AdviceFileError(f"The file {path} cannot be read: {error.strerror}.") from None


def _read(path: Path, model: type[Model]) -> tuple[Model, Marked]:
    try:
        marked = read_yaml(_bytes(path))
        return model.model_validate(marked.value), marked
    except YamlError as error:
        place = ":".join(str(one) for one in (path, error.line, error.column) if one is not None)
        raise AdviceFileError(f"{place}: {error.problem}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        mark = marked.mark(tuple(first["loc"]), key=first["type"] == "extra_forbidden")
        raise AdviceFileError(f"{path}:{mark.line}:{mark.column}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    said = {"extra_forbidden": "there is no such key", "model_type": "names and values are expected, as in docs/advice.md"}
    message = said.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
