"""The log can be taken away and verified where the database is not: whatever was changed in it is found, and named."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import assent
import pytest
from assent.graph.audit import signing
from assent.graph.audit.audit_file import end_line, read_export
from assent.graph.audit.auditing import exported, lines
from assent.graph.audit.chain import record_hash
from assent.graph.audit.heads import EVERY, Signing, sign
from assent.graph.audit.verifying import verify
from assent.graph.rules.terms import Terms
from assent.graph.store.session import Store
from fakes import SAFE, HandClock, Script, Till, approve, as_owner, asks, calls, edit, on_thread, reject, says, staff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PAY = calls(("pay", {"to": "bob", "amount": 5}))
LOOK = calls(("look", {"what": "sky"}))


async def work(desk):
    """One action without a person, one approved, one edited, one rejected, one taken back and decided again, one waiting."""
    agent = desk.agent(
        tools=Till().tools, policy=SAFE, propose=Script(LOOK, says(), *(x for _ in range(4) for x in (PAY, says())), PAY)
    )
    await agent.ainvoke(asks(), on_thread("t0"))
    for thread, answer in (
        ("t1", approve),
        ("t2", lambda card: edit(card, amount=4) if desk.store.is_sqlite else approve(card)),
        ("t3", reject),
    ):
        await agent.ainvoke(asks(), on_thread(thread))
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, answer(card), "ada")
        await desk.drain()
    await agent.ainvoke(asks(), on_thread("t4"))
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, approve(card), "ada", undo_window=3600)
    await desk.withdraw(card.id, "ada")
    (card,) = await desk.pending("bob")
    await desk.decide(card.id, approve(card), "bob")
    await desk.drain()
    await agent.ainvoke(asks(), on_thread("t5"))


async def taken(desk, **options):
    return [line async for line in lines(exported(desk.store, desk.clock, desk.tenant, **options))]


@pytest.fixture
async def worked(any_url):
    async with assent.open(any_url) as desk:
        await staff(desk)
        await work(desk)
        yield desk


@pytest.fixture
def signer(tmp_path):
    key = signing.make_key(tmp_path / "key.pem")
    return key.public, Signing(tmp_path / "key.pem", tmp_path / "heads.jsonl")


def checked(export, public="", heads=None):
    return verify(read_export(export), [public] if public else [], iter(heads) if heads is not None else None)


async def test_what_a_desk_did_verifies_with_the_public_key_alone(worked, signer):
    public, where = signer
    await sign(worked.store, worked.clock, worked.tenant, where)
    report = checked(await taken(worked), public)
    assert report.bad == "" and report.exit_code == 0
    assert report.records == report.signed_until > 20 and report.heads == 1 and report.rows > 10
    assert (report.erased, report.from_before) == (0, 0)


async def test_verifying_needs_no_database_and_no_part_of_the_store(worked, signer, tmp_path):
    public, where = signer
    await sign(worked.store, worked.clock, worked.tenant, where)
    (tmp_path / "log.jsonl").write_bytes(b"".join(await taken(worked)))
    code = f"""
import sys
from assent.graph.audit.audit_file import read_export
from assent.graph.audit.verifying import verify
with open({str(tmp_path / "log.jsonl")!r}, "rb") as file:
    report = verify(read_export(file), [{public!r}])
assert report.records and not report.bad, report.bad
print([name for name in sys.modules if name.startswith("assent.graph.store") or name in ("sqlmodel", "sqlalchemy", "langgraph")])
"""
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def resealed(items):
    """Write items as an export again, as somebody does who knows the format and changed something."""
    body = [json.dumps(item, separators=(",", ":")).encode() + b"\n" for item in items]
    return [*body, end_line(hashlib.sha256(b"".join(body)).hexdigest())]


def rewritten(items):
    """Chain all records anew, as somebody does who owns the database."""
    previous, done = "0" * 64, []
    for item in items:
        if item["type"] == "event":
            item = {**item, "previous": previous}
            item["hash"] = previous = record_hash(item)
        done.append(item)
    return done


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """An export with a signed head in the middle and at the end, its public key, and the file of heads."""
    folder = tmp_path_factory.mktemp("history")
    key = signing.make_key(folder / "key.pem")
    where = Signing(folder / "key.pem", folder / "heads.jsonl")

    async def made():
        async with assent.open(f"sqlite:///{folder}/desk.db") as desk:
            await staff(desk)
            await sign(desk.store, desk.clock, desk.tenant, where)
            await work(desk)
            await sign(desk.store, desk.clock, desk.tenant, where)
            return await taken(desk)

    return asyncio.run(made()), key.public, list(signing.read_heads(where.heads))


def test_the_history_of_the_other_tests_is_right(history):
    export, public, heads = history
    assert checked(export, public, heads).bad == "" and len(heads) == 2
    assert checked(resealed(list(read_export(export))), public, heads).bad == ""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_change_of_the_file_is_found(history, data):
    export, public, heads = history
    where = data.draw(st.integers(0, len(export) - 1))
    match data.draw(st.sampled_from(["delete", "double", "swap", "byte", "cut", "insert"])):
        case "delete":
            changed = export[:where] + export[where + 1 :]
        case "double":
            changed = [*export[: where + 1], *export[where:]]
        case "insert":
            changed = [*export[:where], data.draw(st.binary(max_size=20)) + b"\n", *export[where:]]
        case "swap":
            other = data.draw(st.integers(0, len(export) - 1).filter(lambda one: one != where))
            changed = list(export)
            changed[where], changed[other] = changed[other], changed[where]
        case "byte":
            line = bytearray(export[where])
            line[data.draw(st.integers(0, len(line) - 1))] ^= data.draw(st.integers(1, 255))
            changed = [*export[:where], bytes(line), *export[where + 1 :]]
            changed = b"".join(changed).splitlines(keepends=True)
        case _:
            changed = b"".join(export)[: -data.draw(st.integers(1, 2000))].splitlines(keepends=True)
    assert checked(changed, public, heads).bad


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_change_of_a_record_is_found_though_the_file_was_sealed_again(history, data):
    export, public, heads = history
    items = list(read_export(export))
    events = [index for index, item in enumerate(items) if item["type"] == "event"]
    where = data.draw(st.sampled_from(events))
    record = dict(items[where])
    match data.draw(st.sampled_from(["field", "body", "payload", "delete", "cut", "swap", "drop", "rewrite"])):
        case "field":
            name = data.draw(st.sampled_from(sorted(set(record) - {"type", "body", "payload"})))
            record[name] = record[name] + 1 if name == "seq" else "0" + str(record[name])[1:] + "x"
            items[where] = record
        case "body":
            items[where] = {**record, "body": {**record["body"], "more": 1}}
        case "payload" if record["payload"] is not None:
            items[where] = {**record, "payload": {**record["payload"], "args": {"to": "eve"}}}
        case "delete" | "payload":
            del items[where]
        case "cut":
            items = items[:where]
        case "swap":
            other = data.draw(st.sampled_from([index for index in events if index != where]))
            items[where], items[other] = items[other], items[where]
        case "drop":
            del record[data.draw(st.sampled_from(sorted(set(record) - {"type"})))]
            items[where] = record
        case "rewrite":
            items[where] = {**record, "actor": "eve"}
            items = rewritten(items)
    report = checked(resealed(items), public, heads)
    assert report.bad and report.records <= len(events)


def changed_record(history, kind, change):
    items = list(read_export(history[0]))
    where = next(index for index, item in enumerate(items) if item["type"] == "event" and item["kind"] == kind)
    items[where] = change(dict(items[where]))
    return items, items[where]["seq"]


def test_the_first_bad_record_is_named(history):
    items, seq = changed_record(history, "decision.edit", lambda record: {**record, "actor": "eve"})
    report = checked(resealed(items), history[1])
    assert report.bad_seq == seq and f"record {seq} was changed" in report.bad and report.records == seq - 1


def test_a_rewritten_history_is_caught_by_a_head_that_was_signed_before(history):
    items, seq = changed_record(history, "verdict", lambda record: {**record, "actor": "eve"})
    forged = [item for item in rewritten(items) if item["type"] in ("meta", "event")]
    assert "no signed head" in checked(resealed(forged), history[1]).bad
    caught = checked(resealed(forged), history[1], history[2])
    assert "history was rewritten" in caught.bad and caught.bad_seq >= seq


def test_a_cut_tail_is_caught_by_the_heads_outside(history):
    export, public, heads = history
    items = [item for item in read_export(export) if item["type"] in ("meta", "event")][:-3]
    items[0] = {**items[0], "rows": False}
    report = checked(resealed(items), public, heads)
    assert "its end was cut off" in report.bad and report.bad_seq == report.records + 1


def test_heads_signed_by_another_key_or_changed_count_for_nothing(history, tmp_path):
    export, public, heads = history
    other = signing.make_key(tmp_path / "other.pem").public
    assert "fits no key" in checked(export, other).bad
    forged = [replace(heads[0], at="2020-01-01T00:00:00.000000+00:00"), *heads[1:]]
    assert "fits no key" in checked(export, public, forged).bad
    assert "go backwards" in checked(export, public, [heads[1], heads[0]]).bad
    assert checked(export).bad == "" and checked(export).signatures is False


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        ("decision.approve", {"digest": "f" * 64}, "0 of 1 people stand behind"),
        ("decision.approve", {"effective_at": "2999-01-01T00:00:00.000000+00:00"}, "0 of 1 people stand behind"),
        ("execution.claimed", {"digest": "f" * 64}, "no verdict lets this digest"),
        ("verdict", {"verdict": "refuse"}, "no verdict lets this digest"),
    ],
)
def test_a_claim_that_nothing_stands_behind_is_found_though_all_hashes_are_right(history, kind, change, why):
    items, _ = changed_record(history, kind, lambda record: {**record, "body": {**record["body"], **change}})
    assert why in checked(resealed(rewritten(items))).bad


def without(history, kind):
    items = list(read_export(history[0]))
    first = next(index for index, item in enumerate(items) if item["type"] == "event" and item["kind"] == kind)
    del items[first]
    seq = 0
    for index, item in enumerate(items):
        if item["type"] == "event":
            items[index] = {**item, "seq": (seq := seq + 1)}
    return resealed(rewritten([item for item in items if item["type"] != "head"]))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("decision.approve", "0 of 1 people stand behind"),
        ("verdict", "no verdict on the action"),
        ("decision.reject", "is not on record"),
        ("execution.claimed", "was never started"),
    ],
)
def test_what_was_left_out_of_a_rewritten_chain_is_missed(history, kind, why):
    assert why in checked(without(history, kind)).bad


def with_quorum(history, quorum):
    def needs(record):
        return {**record, "body": {**record["body"], "quorum": quorum}, "payload": None, "salt": None, "payload_digest": None}

    items = list(read_export(history[0]))
    items = [needs(item) if item["type"] == "event" and item["kind"] == "verdict" else item for item in items]
    return checked(resealed(rewritten([item for item in items if item["type"] != "head"])))


def test_a_quorum_counts_distinct_people_who_did_not_take_it_back(history):
    assert with_quorum(history, 1).bad == ""
    assert "1 of 2 people stand behind" in with_quorum(history, 2).bad


async def test_a_payload_that_is_gone_without_an_erasure_on_record_is_found(history):
    items, seq = changed_record(history, "decision.approve", lambda record: {**record, "payload": None, "salt": None})
    report = checked(resealed(items), history[1], history[2])
    assert report.bad_seq == seq and "no erasure of it is on record" in report.bad


TAMPERED = {
    "UPDATE decisions SET actor = 'eve' WHERE type = 'approve'": "the row of the decision",
    'UPDATE decisions SET args = \'{"to":"eve","amount":4}\' WHERE type = \'edit\'': "the row of the decision",
    'UPDATE actions SET args = \'{"to":"eve","amount":5}\' WHERE thread = \'t1\'': "the row of the action",
    "UPDATE actions SET verdict = 'allow' WHERE thread = 't3'": "the row of the action",
    "UPDATE executions SET status = 'failed' WHERE thread = 't1'": "the execution of",
    "DELETE FROM executions WHERE thread = 't1'": "has no row any more",
    "DELETE FROM examples; DELETE FROM decisions WHERE type = 'reject'": "has no row any more",
    "UPDATE events SET actor = 'eve' WHERE seq = 9": "record 9 was changed",
    "DELETE FROM events WHERE seq = 9": "record 9 is missing",
}


async def verified(url):
    store = Store(url)
    report = checked([line async for line in lines(exported(store, HandClock(), "main"))])
    await store.close()
    return report


async def test_rows_that_their_owner_changed_are_named(url, tmp_path):
    async with assent.open(url) as desk:
        await staff(desk)
        await work(desk)
    assert (await verified(url)).bad == ""
    for statement, why in TAMPERED.items():
        shutil.copy(tmp_path / "desk.db", tmp_path / "copy.db")
        with as_owner(f"sqlite:///{tmp_path}/copy.db") as connection:
            for one in statement.split(";"):
                assert connection.exec_driver_sql(one).rowcount, one
        assert why in (await verified(f"sqlite:///{tmp_path}/copy.db")).bad, statement


async def test_rows_that_their_owner_changed_are_named_on_postgresql_too(postgres_url):
    async with assent.open(postgres_url) as desk:
        await staff(desk)
        await work(desk)
    assert (await verified(postgres_url)).bad == ""
    with as_owner(postgres_url) as connection:
        connection.exec_driver_sql("UPDATE decisions SET actor = 'eve' WHERE type = 'reject'")
    assert "the row of the decision" in (await verified(postgres_url)).bad


@pytest.fixture
async def scheduled(url, signer):
    clock = HandClock()
    async with assent.open(url, clock=clock, signing=signer[1]) as desk:
        await staff(desk)
        yield desk, clock, signer[1]


async def test_the_head_is_signed_on_a_schedule_and_only_when_it_moved(scheduled):
    desk, clock, where = scheduled
    for step, count in ((0, 1), (0, 1), (EVERY.total_seconds(), 1)):
        clock.forward(step)
        await desk.sweeper.sweep()
        assert len(list(signing.read_heads(where.heads))) == count
    await desk.users.add("new")
    await desk.sweeper.sweep()
    assert len(list(signing.read_heads(where.heads))) == 1, "not yet"
    clock.forward(EVERY.total_seconds())
    await desk.sweeper.sweep()
    first, second = signing.read_heads(where.heads)
    assert first.seq < second.seq


async def test_signing_that_fails_is_a_task_until_it_works_again(scheduled):
    desk, clock, where = scheduled
    where.key.chmod(0o644)
    await desk.sweeper.sweep()
    (task,) = await desk.tasks("vi")
    assert task.kind == "unsigned" and "chmod 600" in task.text and not where.heads.exists()
    where.key.chmod(0o600)
    clock.forward(EVERY.total_seconds())
    await desk.sweeper.sweep()
    assert await desk.tasks("vi") == [] and where.heads.exists()


async def test_the_environment_says_where_heads_are_signed(url, signer, monkeypatch):
    monkeypatch.setenv("ASSENT_AUDIT_KEY", str(signer[1].key))
    with pytest.raises(assent.AssentError, match="belong together"):
        async with assent.open(url):
            pass
    monkeypatch.setenv("ASSENT_AUDIT_HEADS", str(signer[1].heads))
    async with assent.open(url) as desk:
        await staff(desk)
        await desk.sweeper.sweep()
    assert signer[1].heads.exists()


def test_a_key_is_its_owners_alone_and_never_overwritten(tmp_path):
    made = signing.make_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(signing.SigningError, match="never overwritten"):
        signing.make_key(tmp_path / "key.pem")
    assert signing.read_key(tmp_path / "key.pem").public == made.public
    (tmp_path / "public").write_text(made.public + "\n")
    assert signing.public_key(str(tmp_path / "public")) == signing.public_key(made.public) == made.public
    for wrong in ("", "ed25519:AAAA", "ssh-rsa AAAA", str(tmp_path / "key.pem")):
        with pytest.raises(signing.SigningError):
            signing.public_key(wrong)


def test_a_head_torn_by_a_crash_does_not_spoil_the_next_line(tmp_path):
    key, heads = signing.make_key(tmp_path / "key.pem"), tmp_path / "heads.jsonl"
    signing.append(heads, key.sign("main", 1, "a" * 64, "now"))
    heads.write_bytes(heads.read_bytes() + b'{"tenant"')
    with pytest.raises(signing.SigningError, match="Line 2"):
        list(signing.read_heads(heads))
    signing.append(heads, key.sign("main", 2, "b" * 64, "now"))
    assert heads.read_bytes().count(b"\n") == 3


async def test_a_quorum_and_a_second_persons_edit_verify(opened):
    terms = assent.Policy((assent.on("pay", lambda facts: assent.Ruling("review", "Two people.", terms=Terms(quorum=2))),))
    agent = opened.agent(tools=Till().tools, policy=terms, propose=Script(PAY, says(), PAY, says()))
    for thread, answer in (("q1", approve), ("q2", lambda card: edit(card, amount=4))):
        await agent.ainvoke(asks(), on_thread(thread))
        (card,) = await opened.pending("ada")
        await opened.decide(card.id, answer(card), "ada")
        card = await opened.card(card.id, "bob")
        await opened.decide(card.id, approve(card), "bob")
        await opened.drain()
    items = [item async for item in exported(opened.store, opened.clock, opened.tenant)]
    assert [item["body"]["quorum"] for item in items if item.get("kind") == "verdict"] == [2, 2]
    assert sum(item.get("kind") == "execution.claimed" for item in items) == 2
    assert verify(items).bad == ""
    second = next(item for item in items if item.get("kind") == "decision.approve" and item["actor"] == "bob")
    forged = rewritten([{**item, "actor": "ada"} if item is second else item for item in items])
    assert "1 of 2 people stand behind" in verify(forged).bad
