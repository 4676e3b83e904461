"""Rows from anywhere: JSON lines with features, a label and a group key, read for certifying; nothing is guessed or filled in."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ...graph.autonomy.scoring import Features
from ...graph.errors import AssentError

Flat = Mapping[str, Any]
"""A row's values by dotted path."""


class RowsError(AssentError):
    """The file cannot be used as rows."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Decided actions, in the order of their file."""

    features: tuple[Features, ...]
    correct: tuple[bool | None, ...]
    """Whether each action was right; None where nobody looked."""
    groups: tuple[str, ...]
    """What belongs together: a conversation, a question."""
    scores: tuple[float | None, ...] | None = None
    """The rows' own scores, where they are used as they are; None in a place where one is missing."""

    def __len__(self) -> int:
        return len(self.correct)

    def take(self, indices: Sequence[int]) -> Rows:
        """Return the rows at these places."""
        return Rows(
            tuple(self.features[index] for index in indices),
            tuple(self.correct[index] for index in indices),
            tuple(self.groups[index] for index in indices),
            None if self.scores is None else tuple(self.scores[index] for index in indices),
        )

    @property
    def labels(self) -> tuple[bool, ...]:
        """Whether each action was right; raises RowsError where a label is missing."""
        missing = [place for place, right in enumerate(self.correct, 1) if right is None]
        if missing:
            raise RowsError(f"row {missing[0]} has no label, and {len(missing) - 1} more; leave out what nobody looked at")
        return tuple(bool(right) for right in self.correct)


def read_rows(
    path: Path,
    label: str,
    group: str | None = None,
    features: Sequence[str] | None = None,
    *,
    score: str | None = None,
    labelled: bool = True,
    everywhere: bool = True,
) -> Rows:
    """Read rows from a file of JSON lines.

    Fields are named by dotted paths (`signals.agreement`). The value of a feature is a number, or true and false as 1 and 0;
    one that is absent, null or not finite is missing. Text becomes an indicator `name:value`.

    Args:
        path: the file; empty lines are left out.
        label: the field that says whether the action was right, true or false (or 1 and 0); or FIELD=TEXT, and the action was
            right where the field is that text.
        group: the field that says what belongs together, text or a whole number; without it every row is a group of its own.
        features: fields to use; the name of an object means all numbers in it, `mean(NAME)` their mean. Without it: every
            number, true and false but label, group and score; `usual_features` also takes short texts.
        score: a field to take as the score as it is.
        labelled: whether every row must have a label.
        everywhere: whether it is a mistake when no row of the file has one of the features.

    Raises:
        RowsError: for a file that is missing, is not JSON lines, or lacks a field; the message says which row.
    """
    field = label.partition("=")[0]
    named = tuple(map(_field, features or ())) if everywhere else ()
    rows = flat_rows(path, [name for name in (group, score, field if labelled else None, *named) if name])
    reserved = {field, group, score}
    for name in features or ():
        if _field(name) in reserved - {None}:
            raise RowsError(f"{name} is the label, the group or the score, and cannot be a feature too")
    return Rows(
        tuple(_features(row, features, reserved) for row in rows),
        tuple(label_of(row, label, place, labelled=labelled) for place, row in enumerate(rows, 1)),
        tuple(str(place) if group is None else _group(row, group, place) for place, row in enumerate(rows, 1)),
        None if score is None else tuple(_number(row.get(score)) for row in rows),
    )


MOST_WORDS = 20
"""A text field with more different values than this is no feature unless it is named."""


def usual_features(path: Path, label: str, group: str | None, score: str | None = None) -> list[str]:
    """Return the fields of a file that are taken as features when none are named: numbers, true and false, and texts of few values.

    A text counts if it has 2 to 20 different values, each ten times in the mean. Ask it of the rows that are fitted on, so that
    the rows that are certified on and applied to are read in the same way. Raises RowsError as `read_rows` does.
    """
    reserved = {label.partition("=")[0], group, score}
    rows, numbers = flat_rows(path), set[str]()
    words: dict[str, list[str]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in reserved and isinstance(value, bool | int | float):
                numbers.add(name)
            elif name not in reserved and isinstance(value, str):
                words.setdefault(name, []).append(value)
    texts = {name for name, found in words.items() if 2 <= len(set(found)) <= min(MOST_WORDS, len(found) // 10)}
    return sorted(numbers | (texts - numbers))


def flat_rows(path: Path, fields: Sequence[str] = ()) -> list[Flat]:
    """Return a file's rows by dotted paths; raises RowsError without rows, or where no row has one of these fields."""
    rows = [dict(_flat(record)) for record in _records(path)]
    if not rows:
        raise RowsError(f"{path} has no rows")
    for name in fields:
        _check_field(rows, name, path)
    return list(rows)


def label_of(row: Flat, label: str, place: int, *, labelled: bool = True) -> bool | None:
    """Return whether the row's action was right, None without a label unless it must have one; raises RowsError."""
    name, _, wanted = label.partition("=")
    value = row.get(name)
    if value is None:
        if labelled:
            raise RowsError(f"row {place} has no label {name}; leave out what nobody looked at")
        return None
    if wanted:
        if isinstance(value, bool):
            raise RowsError(f"the label {name} of row {place} is {_short(value)}, not a text; name it as {name} alone")
        return str(value) == wanted
    if value is True or value is False or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise RowsError(
        f"the label {name} of row {place} is {_short(value)}, not true or false; for a text, name it as {name}=TEXT where right"
    )


def in_order(rows: Rows) -> Rows:
    """Return the rows ordered by what they say, so that neither the file's order nor the groups' names decide what is drawn."""
    scores = rows.scores or (None,) * len(rows)
    said = [repr((sorted(f.items()), s, r)) for f, s, r in zip(rows.features, scores, rows.correct, strict=True)]
    members: dict[str, list[int]] = {}
    for place, name in enumerate(rows.groups):
        members.setdefault(name, []).append(place)
    ordered = [sorted(places, key=lambda place: said[place]) for places in members.values()]
    ordered.sort(key=lambda places: [said[place] for place in places])
    return rows.take([place for places in ordered for place in places])


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise RowsError(f"{path} cannot be read ({error.strerror}): name a file of JSON lines") from None
    except UnicodeDecodeError:
        raise RowsError(f"{path} is not UTF-8 text: name a file of JSON lines") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise RowsError(f"line {number} of {path} is not JSON; one object a line is expected") from None
        if not isinstance(record, dict):
            raise RowsError(f"line {number} of {path} is not a JSON object")
        yield record


def _flat(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _within(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")


def _check_field(rows: Sequence[Flat], name: str, path: Path) -> None:
    if any(_within(one, name) for row in rows for one in row):
        return
    known = sorted({one for row in rows[:1000] for one in row} | {one.partition(".")[0] for row in rows[:1000] for one in row})
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}"
    raise RowsError(f"no row of {path} has the field {name}{hint}")


def _group(row: Flat, name: str, place: int) -> str:
    value = row.get(name)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    said = "missing" if value is None else _short(value)
    raise RowsError(f"the group {name} of row {place} is {said}; every row needs one, a text or a whole number")


def _features(row: Flat, names: Sequence[str] | None, reserved: set[str | None]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name in names or ():
        if _field(name) != name:
            found[name] = _mean(
                [_number(value) for path, value in row.items() if _within(path, _field(name)) and path not in reserved]
            )
    for path, value in row.items():
        if path in reserved or not (names is None or any(_within(path, name) for name in names)):
            continue
        if isinstance(value, bool | int | float):
            found[path] = _number(value)
        elif isinstance(value, str) and names is not None and path in names:
            found[f"{path}:{value}"] = 1.0
    return found


def _field(name: str) -> str:
    """Return the field that a feature is about: itself, or what a mean is of."""
    return name[5:-1] if name.startswith("mean(") and name.endswith(")") else name


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _number(value: Any) -> float | None:
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)[:60]
