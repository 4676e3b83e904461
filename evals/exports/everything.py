"""Format `jsonl`: everything an example holds, one versioned object per line; nothing is left out or changed."""

from __future__ import annotations

from typing import Any

from ..examples import Example

VERSION = 1


def rows(example: Example) -> tuple[dict[str, Any], ...]:
    """Return the whole example."""
    offers = [
        {
            "name": offer.name,
            "description": offer.description,
            "schema": offer.schema,
            "choices": None if offer.choices is None else list(offer.choices),
        }
        for offer in example.offers
    ]
    alternative = example.alternative and {"tool": example.alternative.tool, "args": example.alternative.args}
    row = {
        "version": VERSION,
        "id": example.id,
        "label": example.label,
        "text": example.text,
        "conversation": list(example.conversation),
        "tool": example.tool,
        "args": example.args,
        "accepted": example.accepted,
        "alternative": alternative,
        "reason": example.reason,
        "message": example.message,
        "actor": example.actor,
        "agent": example.agent,
        "requester": example.requester,
        "created_at": example.created_at,
        "evidence": example.evidence,
        "choices": None if example.choices is None else list(example.choices),
        "provenance": example.provenance,
        "offers": offers,
    }
    return (row,)
