"""Finds the pair of a better and a worse call that an example holds; formats decide how it is written."""

from __future__ import annotations

from ...graph.proposing.legality import same_json
from ..examples import Call, Example


def pair(example: Example) -> tuple[Call, Call] | None:
    """Return (better, worse): edited against proposed, or what was accepted instead against what was rejected."""
    if example.label not in ("edit", "reject") or example.right is None:
        return None
    better, worse = example.right, example.proposed
    same = better.tool == worse.tool and same_json(better.args, worse.args)
    return None if same else (better, worse)
