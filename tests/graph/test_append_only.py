"""What is on record stays there: on both databases, in older rows too, every change but the named ones is refused."""

from __future__ import annotations

import assent
import postgres
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from assent.graph.store import migrate
from fakes import SAFE, Script, approve, as_owner, asks, calls, on_thread, reject, says

NOON = "2026-11-23T12:00:00.000000+00:00"
PAY = calls(("pay", {"to": "bob", "amount": 5}))
ERASE_ACTION = (
    "UPDATE actions SET args='{}', reasons='[]', readings='[]', evidence='[]', conversation='[]', precedents='[]', "
    f"choices=NULL, erased_at='{NOON}'"
)


def refused(url, *statements):
    """Try statements with the guards in place and take everything back; returns whether the last one was refused."""
    with as_owner(url, guarded=True) as connection:
        connection.exec_driver_sql("SAVEPOINT tried")
        for statement in statements[:-1]:
            assert connection.exec_driver_sql(statement).rowcount
        try:
            assert connection.exec_driver_sql(statements[-1]).rowcount, f"nothing was changed by {statements[-1]}"
            return False
        except sa.exc.IntegrityError:
            return True
        finally:
            connection.exec_driver_sql("ROLLBACK TO tried")


@pytest.fixture
async def written(any_url, till):
    """A database in which an action was approved and ran, and one was rejected."""
    await work(any_url, till)
    return any_url


async def work(url, till):
    async with assent.open(url) as desk:
        await desk.users.add("ada")
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(PAY, says(), PAY, says()))
        for thread, answer in (("t1", approve), ("t2", reject)):
            await agent.ainvoke(asks(), on_thread(thread))
            (card,) = await desk.pending("ada")
            await desk.decide(card.id, answer(card), "ada")
            await desk.drain()


def columns(url, table):
    with as_owner(url, guarded=True) as connection:
        return [(column["name"], str(column["type"])) for column in sa.inspect(connection).get_columns(table)]


async def test_no_column_of_the_record_changes_and_no_row_is_deleted(written):
    kept = {}
    for table in ("decisions", "events", "actions"):
        for name, kind in columns(written, table):
            value = f'COALESCE("{name}", 0) + 7' if kind in ("INTEGER", "BIGINT") else f"SUBSTR(COALESCE(\"{name}\", ''), 2) || 'x'"
            value = "0.123" if kind in ("FLOAT", "DOUBLE PRECISION", "REAL") else value
            kept[table, name] = refused(written, f'UPDATE {table} SET "{name}" = {value}')
    assert [name for name, safe in kept.items() if not safe] == [] and len(kept) > 50
    for table in ("decisions", "events", "actions", "executions", "examples", "reviews", "heads"):
        assert refused(written, f"DELETE FROM {table}")
        if written.startswith("postgresql"):
            with pytest.raises(sa.exc.IntegrityError), as_owner(written, guarded=True) as connection:
                connection.exec_driver_sql(f"TRUNCATE {table} CASCADE")


async def test_replacing_a_row_is_no_way_around(url, till):
    await work(url, till)
    for table in ("decisions", "events"):
        names = ", ".join(f'"{name}"' for name, _ in columns(url, table))
        assert refused(url, f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}")


async def test_erasing_is_the_one_change_that_passes_and_only_whole(written):
    for statement in (
        "UPDATE events SET payload = NULL WHERE payload IS NOT NULL",
        "UPDATE events SET payload = NULL, salt = NULL, actor = 'eve'",
        "UPDATE decisions SET args = NULL, message = '', reason = '', actor = 'eve'",
        "UPDATE actions SET args = '{}'",
        ERASE_ACTION + ", digest = 'x'",
    ):
        assert refused(written, statement), statement
    assert not refused(written, "UPDATE events SET payload = NULL, salt = NULL")
    assert not refused(written, "UPDATE decisions SET args = NULL, message = '', reason = ''")
    assert not refused(written, ERASE_ACTION)
    assert refused(written, ERASE_ACTION, ERASE_ACTION.replace("12:00", "13:00")), "it is erased once"


MOVES = {
    "claimed": {"claimed", "succeeded", "failed", "unknown"},
    "unknown": {"succeeded", "failed"},
    "succeeded": {"undone"},
    "failed": set(),
    "undone": set(),
}


async def test_an_execution_moves_forward_only(written):
    for old, allowed in MOVES.items():
        start = f"""INSERT INTO executions (action, tenant, thread, tool, status, claimed_by, claimed_at, note)
            SELECT id, tenant, thread, tool, '{old}', 'me', created_at, '' FROM actions WHERE thread = 't2'"""
        for new in MOVES:
            move = f"UPDATE executions SET status = '{new}', result = 'r' WHERE thread = 't2'"
            assert refused(written, start, move) is (new not in allowed), (old, new)
        takes = "UPDATE executions SET claimed_by = 'next', attempts = attempts + 1 WHERE thread = 't2'"
        assert refused(written, start, takes) is (old != "claimed")
        assert refused(written, start, "UPDATE executions SET tool = 'look' WHERE thread = 't2'")
    assert refused(written, "UPDATE executions SET result = 'something else'")
    assert refused(written, "UPDATE executions SET result = NULL, note = '', undo_result = NULL, tool = 'look'")
    assert not refused(written, "UPDATE executions SET undo_status = 'requested', undo_by = 'ada'")
    assert not refused(written, "UPDATE executions SET result = NULL, note = '', undo_result = NULL")


async def test_a_closed_review_stays_closed(written):
    to = "UPDATE reviews SET status = '{}' WHERE thread = 't1'".format
    for closed in ("expired", "superseded", "cancelled"):
        assert not refused(written, to("pending"), to("approved"))
        for status in ("pending", "approved", "rejected"):
            assert refused(written, to(closed), to(status))
    assert refused(written, to("approved"), to("rejected")) is True
    assert refused(written, "UPDATE reviews SET version = 0") and refused(written, "UPDATE reviews SET action = 'other'")
    assert refused(written, "UPDATE heads SET seq = 0")


FIRST = {
    "threads": {"id": "t1", "tenant": "main", "agent": "assent", "requester": "carol", "status": "open", "created_at": NOON},
    "actions": {
        "id": "act_1", "tenant": "main", "thread": "t1", "agent": "assent", "requester": "carol", "tool": "pay", "tool_digest": "d",
        "args": '{"to":"bob"}', "digest": "h", "consequence": "costly", "title": "pay", "verdict": "review", "reasons": "[]",
        "readings": "[]", "evidence": "[]", "conversation": "[]", "precedents": "[]", "args_schema": "{}", "description": "",
        "provenance": "{}", "created_at": NOON,
    },
    "reviews": {
        "number": 1, "id": "rev_1", "tenant": "main", "action": "act_1", "thread": "t1", "tool": "pay", "status": "approved",
        "version": 1, "priority": 1.0, "created_at": NOON,
    },
    "decisions": {
        "sequence": 1, "id": "dec_1", "tenant": "main", "review": "rev_1", "action": "act_1", "version": 1, "type": "approve",
        "actor": "ada", "role": "operator", "shown_digest": "h", "digest": "h", "reason": "", "message": "", "effective_at": NOON,
        "created_at": NOON,
    },
    "executions": {
        "action": "act_1", "tenant": "main", "thread": "t1", "tool": "pay", "status": "succeeded", "claimed_by": "l",
        "claimed_at": NOON, "note": "",
    },
}  # fmt: skip


def at_first_schema(url):
    """Make a database as the first version left it, with an approved action that ran."""
    engine = (migrate._sqlite if url.startswith("sqlite") else migrate._postgresql)(sa.make_url(url))
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(migrate.MIGRATIONS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for table, row in FIRST.items():
            connection.execute(sa.table(table, *map(sa.column, row)).insert().values(**row))
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_rows_of_the_first_schema_are_kept_and_guarded(kind, new_url):
    if kind == "postgresql":
        with postgres.fresh(empty=True) as address:
            await _upgraded(address)
    else:
        await _upgraded(new_url)


async def _upgraded(url):
    at_first_schema(url)
    await migrate.upgrade(sa.make_url(url))
    for table in ("decisions", "actions"):
        assert refused(url, f"UPDATE {table} SET digest = 'x'") and refused(url, f"DELETE FROM {table}")
    assert refused(url, "UPDATE executions SET status = 'claimed'")
    assert not refused(url, ERASE_ACTION) and not refused(url, "UPDATE decisions SET args = NULL, message = '', reason = ''")
    with as_owner(url, guarded=True) as connection:
        found = connection.exec_driver_sql("SELECT decisions.digest, reviews.digest FROM decisions, reviews").one()
    assert tuple(found) == ("h", "h")


async def test_a_desk_works_on_rows_of_the_first_schema(new_url, till):
    at_first_schema(new_url)
    async with assent.open(new_url) as desk:
        await desk.users.add("ada")
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
        await agent.ainvoke(asks(), on_thread("t2"))
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
        await desk.drain()
    assert till.paid == [("pay", "bob", 5)]
