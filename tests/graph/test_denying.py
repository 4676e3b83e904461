"""Refusals are on record, the first of a kind at once, and a flood of them costs a bounded number of rows."""

from __future__ import annotations

import assent
import pytest
from assent.graph.audit.denying import KINDS
from assent.graph.store import events


@pytest.fixture
async def desk(any_url, clock):
    async with assent.open(any_url, clock=clock) as opened:
        yield opened


async def denials(desk):
    async with desk.store.read() as tx:
        return [row for row in await events.page(tx, desk.tenant, limit=1000) if row.kind.startswith("denied")]


async def test_a_refusal_is_on_record_with_who_where_and_why(desk):
    await desk.denied("vi", "POST /api/decide", "role", address="10.0.0.1")
    (row,) = await denials(desk)
    assert (row.kind, row.actor, row.subject) == ("denied", "vi", "POST /api/decide")
    assert row.body["reason"] == "role" and row.payload == {"address": "10.0.0.1"}


async def test_a_flood_of_one_kind_is_one_row_and_one_count_a_minute(desk, clock):
    for _ in range(500):
        await desk.denied("vi", "POST /api/decide", "role")
    assert len(await denials(desk)) == 1
    clock.forward(60)
    await desk.denied("vi", "POST /api/decide", "role")
    first, counted, again = await denials(desk)
    assert (first.kind, counted.kind, again.kind) == ("denied", "denied.counted", "denied")
    assert counted.body["count"] == 499 and counted.body["kinds"][0]["actor"] == "vi"


async def test_a_flood_of_many_kinds_is_bounded_and_every_refusal_counted(desk):
    for number in range(3 * KINDS):
        await desk.denied(f"somebody {number}", "x" * 10_000, "unknown")
    await desk.denials.flush()
    found = await denials(desk)
    counted = found[-1].body
    assert len(found) == KINDS + 1 and counted["count"] == 2 * KINDS
    assert len(counted["kinds"]) <= KINDS + 1 and all(len(row.subject) <= 200 for row in found)


async def test_what_was_counted_is_written_when_the_desk_closes(any_url, clock):
    async with assent.open(any_url, clock=clock) as desk:
        await desk.denied("", "/", "not signed in")
        await desk.denied("", "/", "not signed in")
    async with assent.open(any_url, clock=clock) as desk:
        assert [row.kind for row in await denials(desk)] == ["denied", "denied.counted"]
        assert (await denials(desk))[0].actor == "anonymous"
