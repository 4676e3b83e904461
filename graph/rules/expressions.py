"""CEL conditions over the facts of an action: checked and compiled once, then evaluated; they change nothing.

The engine has no time limit, so cost is bounded instead: the length of a condition, its comprehensions, and the
values it may walk.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import AssentError
from .facts import Facts

if TYPE_CHECKING:
    from cel import Program

VARIABLES = ("tool", "args", "consequence", "requester", "tenant", "agent", "context")
"""What a condition may speak about; the same words as in `Facts`."""

TYPES = ("bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint")
FUNCTIONS = (
    *(
        "bytes",
        "contains",
        "double",
        "duration",
        "dyn",
        "endsWith",
        "has",
        "int",
        "matches",
        "size",
        "startsWith",
        "string",
    ),
    *(
        "timestamp",
        "type",
        "uint",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getFullYear",
        "getHours",
    ),
    *("getMilliseconds", "getMinutes", "getMonth", "getSeconds"),
)
LONGEST = 2_000
"""Characters of one condition."""
COMPREHENSIONS = 2
"""How many of `all`, `exists`, `exists_one`, `map`, `filter` one condition may use: cost grows with their power."""
MOST_VALUES = 1_000
"""Values (numbers, texts, entries) in arguments and context together; more are not evaluated but reviewed."""

_TEXT = re.compile(r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*')
_NUMERIC_TEXT = re.compile(r"""["']\s*-?\d+(\.\d+)?\s*["']""")
_COMPREHENSION = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_TEXT_ORDER = re.compile(r'[<>]=?\s*"#+"|"#+"\s*[<>]')
_ARGUMENT = re.compile(r"(?<![\w.])args\s*\.\s*([A-Za-z_]\w*)")
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


class ExpressionError(AssentError):
    """The condition is not a valid CEL expression."""

    def __init__(self, problem: str, line: int = 1, column: int | None = None) -> None:
        self.problem, self.line, self.column = problem, line, column
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled condition; call it with facts to get its value, which is not always a boolean."""

    source: str
    program: Program

    def __call__(self, facts: Facts) -> object:
        """Evaluate the condition; raises ExpressionError for whatever goes wrong inside, such as a missing argument."""
        if _count(facts.args) + _count(facts.context) > MOST_VALUES:
            raise ExpressionError(f"there are more than {MOST_VALUES} values in the arguments and context")
        try:
            return self.program.execute({name: getattr(facts, name) for name in VARIABLES})
        except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
            raise
        except KeyError as error:
            raise ExpressionError(f"there is no {error}") from None
        except BaseException as error:  # a panic in the compiled engine is no Exception
            raise ExpressionError(f"{str(error).split('. ')[0]}") from None

    @property
    def arguments(self) -> dict[str, int]:
        """The arguments it reads as `args.name`, with their first position in the source."""
        found = reversed(list(_ARGUMENT.finditer(_without_texts(self.source))))
        return {match[1]: match.start(1) for match in found}


def compile_expression(source: str) -> Expression:
    """Compile a condition and check every name in it; raises ExpressionError with line and column inside the source."""
    import cel  # brings a terminal toolkit along, so only those who have a policy file pay for it

    if len(source) > LONGEST:
        raise ExpressionError(f"the condition is longer than {LONGEST} characters")
    try:
        program = cel.compile(source)
    except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
        raise
    except BaseException as error:  # a panic in the compiled engine is no Exception
        raise _syntax(str(error)) from None
    bare = _without_texts(source)
    bound = _COMPREHENSION.findall(bare)
    if len(bound) > COMPREHENSIONS:
        raise ExpressionError(f"a condition may use at most {COMPREHENSIONS} of all, exists, exists_one, map and filter")
    for name in bound:
        if name in VARIABLES or name in TYPES:
            raise _at(bare, name, f"{name!r} already has a meaning; choose another name for the element")
    _check_names(bare, program, {*VARIABLES, *TYPES, *bound})
    if order := _TEXT_ORDER.search(bare):
        problem = "< and > compare texts letter by letter ('9' > '100'); write double(...) and a number without quotes"
        raise ExpressionError(problem, *place(bare, order.start()))
    return Expression(source, program)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known word, or nothing."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""


def place(text: str, index: int) -> tuple[int, int]:
    """Return line and column, both from 1, of a position in a text."""
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


def _check_names(bare: str, program: Program, known: set[str]) -> None:
    for name in program.functions():
        if name.isidentifier() and not name.startswith("_") and name not in FUNCTIONS:
            raise _at(bare, name, f"unknown function {name!r}{nearest(name, FUNCTIONS)} (known: {', '.join(FUNCTIONS)})")
    for name in program.variables():
        if name not in known:
            hint = nearest(name, VARIABLES) or f"; an argument is read as args.{name}"
            raise _at(bare, name, f"unknown variable {name!r}{hint} (known: {', '.join(VARIABLES)})")


def _at(bare: str, name: str, problem: str) -> ExpressionError:
    found = re.search(rf"(?<![\w]){re.escape(name)}\b", bare)
    return ExpressionError(problem, *place(bare, found.start())) if found else ExpressionError(problem)


def _syntax(message: str) -> ExpressionError:
    found = _PLACE.search(message)
    if found is None:
        return ExpressionError(f"not a CEL expression: {message.splitlines()[0] if message else 'unreadable'}")
    if "Recursion limit" in message:
        return ExpressionError("not a CEL expression: it is nested too deeply")
    problem = found[3].removeprefix("Syntax error: ").split(" expecting {")[0]
    return ExpressionError(f"not a CEL expression: {problem}", int(found[1]), int(found[2]))


def _without_texts(source: str) -> str:
    """Return the source with texts and comments blanked at equal length, numbers in quotes as `"##"`."""

    def blank(match: re.Match[str]) -> str:
        text = match[0]
        if text.startswith("//"):
            return " " * len(text)
        if _NUMERIC_TEXT.fullmatch(text):
            return '"' + "#" * (len(text) - 2) + '"'
        return "".join(char if char == "\n" else " " for char in text)

    return _TEXT.sub(blank, source)


def _count(value: Any) -> int:
    match value:
        case dict():
            return 1 + sum(map(_count, value.values()))
        case list():
            return 1 + sum(map(_count, value))
    return 1
