"""Loads a policy from a YAML file into the same objects as Python checks; a file with any mistake loads nothing.

Every mistake is told in one line: file, line and column, what is wrong, and what is allowed instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..autonomy.levels import WORDS
from .checks import hidden_characters, legal_choice
from .expressions import Expression, ExpressionError, compile_expression, nearest
from .marked_yaml import LARGEST, Marked, YamlError, read_yaml
from .policy import KINDS, Check, Facts, Kind, Policy, PolicyError, Ruling, is_exact, on
from .terms import DEFAULT, Terms
from .terms_file import TermsEntry, terms_problem

BuiltIn = Literal["hidden_characters", "legal_choice"]
"""Python checks that a file can switch on by name."""

Rung = Literal["shadow", "supervised", "certified", "monitored", "sampled"]
"""The autonomy levels by their words."""

_LEVELS = {word: level for level, word in WORDS.items()}

_BUILT_IN = {"hidden_characters": hidden_characters, "legal_choice": legal_choice}

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]


def _not_true(value: object) -> object:
    return str(value) if isinstance(value, bool) else value  # true equals 1


class PolicyFileError(PolicyError):
    """The policy file cannot be used; nothing of it was loaded."""

    def __init__(self, file: str, problem: str, line: int | None = None, column: int | None = None) -> None:
        self.file, self.line, self.column, self.problem = file, line, column, problem
        super().__init__(f"{':'.join(str(part) for part in (file, line, column) if part is not None)}: {problem}")


class RuleEntry(BaseModel):
    """One rule: what it says about the named tools (left out: all) if its condition holds (left out: always)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Text
    tools: Annotated[list[str], Field(min_length=1)] | None = None
    when: Text | None = None
    """A CEL condition over tool, args, consequence, requester, tenant, agent and context."""
    ruling: Kind
    reason: Text
    terms: TermsEntry | None = None
    """How many people, of which role, until when; counts for every action that the rule speaks about."""


class PolicyDocument(BaseModel):
    """A policy file as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Annotated[Literal[1], BeforeValidator(_not_true)]
    """The version of the file format."""
    threshold: Share | None = None
    thresholds: dict[str, Share] = {}
    checks: list[BuiltIn] = []
    rules: Annotated[list[RuleEntry], Field(min_length=1)]
    ceilings: dict[str, Rung] = {}
    """The highest autonomy level of single tools."""
    unreviewed_irreversible: list[str] = []
    terms: TermsEntry | None = None
    """Terms for every action."""


@dataclass(frozen=True, slots=True)
class FileRule:
    """A rule of a file as a check."""

    name: str
    kind: Kind
    reason: str
    when: Expression | None
    terms: Terms = DEFAULT

    def __call__(self, facts: Facts) -> Ruling | None:
        """Rule if the condition is true; raises PolicyError if it is neither true nor false."""
        outcome = True if self.when is None else self.when(facts)
        if not isinstance(outcome, bool):
            raise PolicyError(f"its condition gave {outcome!r:.60}, which is neither true nor false")
        return Ruling(self.kind, self.reason, self.name, self.terms) if outcome else None


def load_policy(file: str | Path, *, tools: Mapping[str, Collection[str]] | None = None) -> Policy:
    """Load a policy file; raises PolicyFileError.

    Args:
        file: a YAML file of at most 64,000 bytes.
        tools: the tools there are, with the names of their arguments; when given, the file may name no others.
    """
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise PolicyFileError(str(file), f"cannot be read: {error.strerror}") from None
    return parse_policy(content, str(file), tools=tools)


def parse_policy(content: bytes | str, file: str = "policy", *, tools: Mapping[str, Collection[str]] | None = None) -> Policy:
    """Make a policy of the content of a policy file; `file` is what errors call it; raises PolicyFileError."""
    document, marked = _document(content, file)
    checks: list[Check] = [_BUILT_IN[name]() for name in document.checks]
    for path, name in _tool_names(document):
        _check_tool(file, marked, path, name, tools)
    names: set[str] = set()
    for index, entry in enumerate(document.rules):
        if entry.name in names:
            mark = marked.mark(("rules", index, "name"))
            raise PolicyFileError(file, f"there are two rules named {entry.name!r}", mark.line, mark.column)
        names.add(entry.name)
        when = _condition(file, marked, index, entry, tools)
        rule = FileRule(entry.name, entry.ruling, entry.reason, when, _terms(entry.terms))
        checks.append(on(entry.tools, rule) if entry.tools else rule)
    return Policy(
        tuple(checks),
        threshold=document.threshold,
        thresholds=document.thresholds,
        ceilings={name: _LEVELS[word] for name, word in document.ceilings.items()},
        unreviewed_irreversible=frozenset(document.unreviewed_irreversible),
        terms=_terms(document.terms),
    )


def _terms(entry: TermsEntry | None) -> Terms:
    return DEFAULT if entry is None else entry.terms()


def read_document(content: bytes | str, file: str = "policy") -> PolicyDocument:
    """Return a policy file as it is written, its conditions not yet compiled; raises PolicyFileError."""
    return _document(content, file)[0]


def as_yaml(document: PolicyDocument) -> str:
    """Return the text of a policy file that reads back as an equal document."""
    plain = document.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def _document(content: bytes | str, file: str) -> tuple[PolicyDocument, Marked]:
    try:
        marked = read_yaml(content.encode() if isinstance(content, str) else content)
    except YamlError as error:
        raise PolicyFileError(file, error.problem, error.line, error.column) from None
    if not isinstance(marked.value, dict):
        keys = ", ".join(PolicyDocument.model_fields)
        raise PolicyFileError(file, f"a policy file is a mapping with the keys {keys}", 1)
    try:
        return PolicyDocument.model_validate(marked.value), marked
    except ValidationError as error:
        # a misspelt key is also a missing one: the unknown key says more
        first = min(error.errors(), key=lambda one: (one["type"] == "missing", marked.mark(tuple(one["loc"])).line))
        raise _told(file, marked, first) from None


def _told(file: str, marked: Marked, error: Mapping[str, Any]) -> PolicyFileError:
    path = tuple(error["loc"])
    mark = marked.mark(path, key=error["type"] == "extra_forbidden")
    return PolicyFileError(file, _problem(path, error), mark.line, mark.column)


def _problem(path: tuple[str | int, ...], error: Mapping[str, Any]) -> str:
    """Say what is wrong with the value at `path`, and what is allowed instead."""
    name, given = _named(path), error["input"]
    allowed = terms_problem(str(path[-1]), error["type"]) if "terms" in path[:-1] else None
    if allowed is not None:
        return f"{name} cannot be {given!r} (allowed: {allowed})"
    match error["type"]:
        case "extra_forbidden":
            known = tuple(_entry_at(path).model_fields)
            return f"unknown key {path[-1]!r}{nearest(str(path[-1]), known)} (allowed: {', '.join(known)})"
        case "missing":
            return f"{path[-1]!r} is missing"
        case "literal_error" if path == ("version",):
            return f"version cannot be {given!r} (allowed: 1, without quotes)"
        case "literal_error":
            words = KINDS if path[-1] == "ruling" else get_args(Rung if path[0] == "ceilings" else BuiltIn)
            hint = nearest(given, words) if isinstance(given, str) else ""
            return f"{name} cannot be {given!r}{hint} (allowed: {', '.join(words)})"
        case "list_type":
            return f"{name} must be a list, such as [{given if isinstance(given, str) else '...'}]"
        case "model_type":
            return f"{name} must be a mapping with the keys {', '.join(_entry_at((*path, '')).model_fields)}"
        case "string_type":
            return f"{name} must be text, not {given!r}; put it in quotes if it is"
        case "too_short" | "string_too_short":
            return f"{name} must not be empty{'; leave it out to mean every tool' if path[-1] == 'tools' else ''}"
    message = str(error["msg"])
    return f"{name} cannot be {given!r:.60}: {message[:1].lower()}{message[1:]}"


def _entry_at(path: tuple[str | int, ...]) -> type[BaseModel]:
    """Return what a mapping is read as, given the path of one of its keys."""
    if path[-2:-1] == ("terms",):
        return TermsEntry
    return RuleEntry if path[0] == "rules" else PolicyDocument


def _named(path: tuple[str | int, ...]) -> str:
    """Call a place by its last word: `tools[0]`, `thresholds.refund`, `ruling`."""
    *before, last = path
    if isinstance(last, int):
        return f"{before[-1]}[{last}]"
    return f"{before[-1]}.{last}" if before and isinstance(before[-1], str) else last


def _tool_names(document: PolicyDocument) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, entry in enumerate(document.rules):
        yield from ((("rules", index, "tools", at), name) for at, name in enumerate(entry.tools or ()))
    yield from ((("thresholds", name), name) for name in document.thresholds)
    yield from ((("ceilings", name), name) for name in document.ceilings)
    yield from ((("unreviewed_irreversible", at), name) for at, name in enumerate(document.unreviewed_irreversible))


def _check_tool(file: str, marked: Marked, path: tuple[str | int, ...], name: str, tools: Iterable[str] | None) -> None:
    mark = marked.mark(path, key=True)
    if not is_exact(name):
        problem = f"{name!r} is not an exact tool name; patterns are not supported, so list the tools"
        raise PolicyFileError(file, problem, mark.line, mark.column)
    if tools is not None and name not in tools:
        problem = f"there is no tool {name!r}{nearest(name, tools)} (there are: {', '.join(sorted(tools))})"
        raise PolicyFileError(file, problem, mark.line, mark.column)


def _condition(
    file: str, marked: Marked, index: int, entry: RuleEntry, tools: Mapping[str, Collection[str]] | None
) -> Expression | None:
    if entry.when is None:
        return None
    try:
        expression = compile_expression(entry.when)
        _check_arguments(expression, entry, tools)
    except ExpressionError as error:
        line, column = marked.mark(("rules", index, "when")).inside
        if error.line > 1:
            line, column = line + error.line - 1, None
        at = None if column is None or error.column is None else column + error.column - 1
        raise PolicyFileError(file, f"rule {entry.name!r}: {error.problem}", line, at) from None
    return expression


def _check_arguments(expression: Expression, entry: RuleEntry, tools: Mapping[str, Collection[str]] | None) -> None:
    """Refuse an argument that no tool of the rule has: it would only ever fail."""
    if tools is None:
        return
    known = {argument for tool in entry.tools or tools for argument in tools[tool]}
    for name, index in expression.arguments.items():
        if name not in known:
            problem = f"no tool of this rule has an argument {name!r}{nearest(name, known)}"
            raise ExpressionError(f"{problem} (there are: {', '.join(sorted(known))})", 1, index + 1)
