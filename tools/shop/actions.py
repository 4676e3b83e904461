"""The seven actions of the support desk, bound to an opened shop; it holds no rule of its own."""

from __future__ import annotations

from ..declaration import ActionTool
from .answering import hand_over_tool, send_reply_tool
from .lookups import look_up_customer_tool, look_up_order_tool
from .open_orders import cancel_order_tool, change_address_tool
from .refunding import refund_tool
from .tables import Shop


def shop_tools(shop: Shop) -> list[ActionTool]:
    """Return the actions of the support desk; each sees the requester's own record and orders only."""
    return [
        look_up_customer_tool(shop),
        look_up_order_tool(shop),
        change_address_tool(shop),
        refund_tool(shop),
        cancel_order_tool(shop),
        send_reply_tool(shop),
        hand_over_tool(shop),
    ]
