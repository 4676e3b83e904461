from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from assent.tools.declaration import (
    ActionRefused,
    Case,
    action,
    at_hand,
    call_declared,
    current_case,
    declaration_of,
    dry_run,
    legal_choices,
    plain,
    schema_digest,
    schema_of,
    typed,
)
from assent.tools.shop.money import Money
from langchain_core.tools import tool as langchain_tool
from pydantic import ValidationError

CASE = Case(tenant="main", thread="t", requester="C1", text="hello")


@action
async def bare(name: str) -> str:
    """Greet somebody."""
    return f"hello {name}"


@action(consequence="costly", idempotent=True, title="Pay money")
async def pay(amount: Money, case: Case, note: str = "none") -> str:
    """Pay somebody."""
    return f"{case.requester} {amount} {note} {type(amount).__name__}"


def test_an_action_that_declares_nothing_is_irreversible() -> None:
    assert declaration_of(bare).consequence == "irreversible"
    assert declaration_of(bare).title == "bare"


def test_a_plain_langchain_tool_is_irreversible_and_has_no_dry_run() -> None:
    @langchain_tool
    async def shout(word: str) -> str:
        """Shout."""
        return word.upper()

    assert declaration_of(shout).consequence == "irreversible"
    assert plain(shout, {"word": "a"}) == {"word": "a"}


def test_what_was_declared_is_kept() -> None:
    declared = declaration_of(pay)
    assert (declared.consequence, declared.idempotent, declared.title) == ("costly", True, "Pay money")
    assert pay.description == "Pay somebody."


def test_the_title_of_an_action_is_its_name_in_words() -> None:
    @action(consequence="read")
    async def look_it_up() -> str:
        """Look."""
        return ""

    assert declaration_of(look_it_up).title == "look it up"


def test_the_case_is_not_an_argument() -> None:
    assert set(schema_of(pay)["properties"]) == {"amount", "note"}
    with pytest.raises(ValidationError):
        plain(pay, {"amount": "1.00", "case": {"tenant": "other", "thread": "t", "requester": "C2"}})


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(ValidationError):
        plain(bare, {"name": "Ann", "admin": True})


async def test_the_case_reaches_the_tool_from_outside() -> None:
    with at_hand(CASE):
        assert await pay.ainvoke({"amount": "2.50"}) == "C1 2.50 none Decimal"


async def test_a_tool_outside_an_action_has_no_case() -> None:
    with pytest.raises(LookupError):
        current_case()
    with pytest.raises(LookupError):
        await pay.ainvoke({"amount": "2.50"})


async def test_the_case_ends_with_the_action_even_if_it_fails() -> None:
    with pytest.raises(RuntimeError), at_hand(CASE):
        raise RuntimeError
    with pytest.raises(LookupError):
        current_case()


def test_plain_arguments_are_canonical_json_and_typed_ones_are_values() -> None:
    assert plain(pay, {"amount": "34"}) == {"amount": "34.00", "note": "none"}
    assert plain(pay, plain(pay, {"amount": 34})) == {"amount": "34.00", "note": "none"}
    assert typed(pay, {"amount": "34.00"}) == {"amount": Decimal("34.00"), "note": "none"}


async def test_a_dry_run_gets_values_and_the_case() -> None:
    async def check(amount: Decimal, case: Case) -> str:
        if amount > 5:
            raise ActionRefused("too much")
        return f"{case.text} {amount * 2}"

    @action(consequence="costly", dry_run=check)
    async def spend(amount: Money) -> str:
        """Spend."""
        return "spent"

    assert await dry_run(spend, {"amount": "2.50"}, CASE) == "hello 5.00"
    with pytest.raises(ActionRefused, match="too much"):
        await dry_run(spend, {"amount": "6.00"}, CASE)


async def test_without_a_dry_run_there_is_no_evidence() -> None:
    assert await dry_run(bare, {"name": "Ann"}, CASE) is None


async def test_choices_may_be_sync_and_may_leave_the_case_unlimited() -> None:
    found: list[list[dict[str, Any]] | None] = [None, [{"name": "Ann"}]]

    @action(consequence="read", choices=lambda: found.pop())
    async def greet(name: str) -> str:
        """Greet."""
        return name

    assert await legal_choices(greet, CASE) == [{"name": "Ann"}]
    assert await legal_choices(greet, CASE) is None
    assert await legal_choices(bare, CASE) is None


async def test_an_undo_is_called_with_the_same_values() -> None:
    undone: list[str] = []

    async def undo(name: str, case: Case) -> None:
        undone.append(f"{name} for {case.requester}")

    @action(consequence="reversible", undo=undo)
    async def tell(name: str) -> str:
        """Tell."""
        return name

    take_back = declaration_of(tell).undo
    assert take_back is not None
    with at_hand(CASE):
        await call_declared(take_back, **typed(tell, {"name": "Ann"}))
    assert undone == ["Ann for C1"]


def test_the_digest_of_a_schema_changes_with_consequence_and_arguments() -> None:
    def variant(consequence: Any, annotation: type) -> str:
        async def same(value) -> str:  # type: ignore[no-untyped-def]
            """Do."""
            return ""

        same.__annotations__["value"] = annotation
        return schema_digest(action(consequence=consequence)(same))

    assert variant("read", int) == variant("read", int)
    assert len({variant("read", int), variant("costly", int), variant("read", str)}) == 3


def test_wrong_declarations_are_refused_when_written() -> None:
    with pytest.raises(ValueError, match="consequence must be one of"):
        action(consequence="harmless")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="async def sync"):

        @action(consequence="read")  # type: ignore[arg-type]
        def sync() -> str:
            """Be sync."""
            return ""

    with pytest.raises(TypeError, match="docstring"):

        @action(consequence="read")
        async def silent() -> str:
            return ""
