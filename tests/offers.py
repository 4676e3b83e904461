"""An action that tests of proposing offer: its arguments, and the combinations of them that are legal."""

from __future__ import annotations

from assent.graph.proposing import Offer

REFUND = Offer(
    "refund",
    "Pay money back.",
    {
        "type": "object",
        "properties": {
            "order_id": {"type": "string"},
            "amount": {"type": "string"},
            "reason": {"enum": ["damaged", "late"]},
        },
        "required": ["order_id", "amount", "reason"],
    },
    (
        {"order_id": "1001", "amount": "34.00"},
        {"order_id": "1001", "amount": "4.50", "reason": "late"},
        {"order_id": "1002", "amount": "12.00"},
    ),
)
