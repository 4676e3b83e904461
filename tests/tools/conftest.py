"""A small shop of two customers on a real SQLite file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from assent.tools.shop.tables import Shop, open_shop

HOME = "12 Mill Lane, Bristol BS1 4QA"
WORK = "3 Dock Road, Bristol BS2 8AB"


def _order(number: str, status: str, **changes: Any) -> dict[str, Any]:
    gone = status in ("shipped", "delivered")
    order: dict[str, Any] = {
        "id": number, "placed": "2026-11-02", "status": status, "ship_to": HOME,
        "items": [
            {"sku": "POT-01", "name": "Enamel kettle", "price": "34.00", "quantity": 1},
            {"sku": "MUG-02", "name": "Mug", "price": "6.25", "quantity": 2},
        ],
        "shipping_fee": "4.50", "paid": "51.00", "refunds": [],
        "carrier": "DPD" if gone else None, "tracking": "DPD1" if gone else None,
        "shipped": "2026-11-04" if gone else None, "delivered": "2026-11-06" if status == "delivered" else None,
    }  # fmt: skip
    return order | changes


CUSTOMERS: list[dict[str, Any]] = [
    {
        "id": "C1", "name": "Zoë O'Hara", "email": "zoe@example.org",
        "addresses": [{"label": "home", "text": HOME}, {"label": "work", "text": WORK}],
        "orders": [
            _order("1", "placed"), _order("2", "packed"), _order("3", "shipped"),
            _order("4", "delivered", refunds=[{"amount": "5.00", "reason": "late"}]), _order("5", "cancelled"),
        ],
    },
    {
        "id": "C2", "name": "Bob Stone", "email": "bob@example.org",
        "addresses": [{"label": "home", "text": "9 High Street, Leeds LS1 1AA"}],
        "orders": [_order("6", "placed"), _order("7", "delivered")],
    },
]  # fmt: skip


@pytest.fixture
def shop_data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "customers-1.json").write_text(json.dumps(CUSTOMERS), "utf-8")
    return folder


@pytest.fixture
async def shop(tmp_path: Path, shop_data: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path / "shop.db", data=shop_data, clock=lambda: 1_795_000_000.0) as opened:
        yield opened
