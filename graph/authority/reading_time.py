"""How long a card takes to read at least: words over a reading speed; below a part of that, a decision was hasty, and still counts.

Adults read English silently at 238 words a minute on average (Brysbaert, Journal of Memory and Language 109, 2019). The floor is
a part of that time, a quarter unless a lead chose otherwise, for what nobody can do without: title, arguments, evidence, reasons
and the requester's last message. A quarter stands for 952 words a minute; understanding suffers at far lower speeds (Rayner et al.,
Psychological Science in the Public Interest 17, 2016). The quarter itself is a choice.
"""

from __future__ import annotations

import json
from typing import Any

from ..store.models import ActionRow

PER_MINUTE = 238.0
"""Words a minute."""

LONGEST_MS = 60_000
"""No floor is above a minute: who knows a long document need not read it again."""


def words_of(row: ActionRow, args: dict[str, Any]) -> int:
    """Return how many words there are on a card that its reviewer has to read; what has no spaces is one word."""
    said = [str(turn.get("text", "")) for turn in row.conversation if turn.get("role") == "requester"]
    texts = [row.title or row.tool, *args, *map(_text, args.values()), *said[-1:]]
    texts += [str(one.get("text", "")) for one in (*row.evidence, *row.reasons)]
    return sum(len(text.split()) for text in texts)


def floor_ms(words: int, part: float) -> int:
    """Return `part * words / 238` minutes in milliseconds, a minute at most."""
    return min(LONGEST_MS, round(part * words / PER_MINUTE * 60_000))


def is_hasty(seen_ms: int | None, floor: int | None) -> bool:
    """Tell whether a decision was faster than its floor; False where either is unknown."""
    return seen_ms is not None and floor is not None and seen_ms < floor


def told(seen_ms: int, words: int) -> str:
    """Say kindly that a decision was quick."""
    needs = words / PER_MINUTE * 60
    return (
        f"That was quick: {words} words take about {needs:.0f} s to read, and you took {seen_ms / 1000:.1f} s. Nothing was held up."
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
