"""Ways in, on both databases: locks for all processes together, sessions that rotate and end, tokens, admins, resets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import assent
import pytest
from argon2 import PasswordHasher
from assent.graph.access.attempts import Limits
from assent.graph.errors import AssentError, Locked, NotAllowed
from assent.graph.store import users
from fakes import staff

PASSWORD = "correct horse battery"
HERE = "10.0.0.1"


@pytest.fixture
async def desk(any_url, clock):
    async with assent.open(any_url, clock=clock) as opened:
        await staff(opened)
        await opened.users.add("pat", PASSWORD)
        yield opened


@asynccontextmanager
async def another(url, clock):
    """A second process, as far as the database can tell."""
    async with assent.open(url, clock=clock) as opened:
        yield opened


async def kinds(desk, prefix, tenant="main"):
    from assent.graph.store import events

    async with desk.store.read() as tx:
        return [row.kind for row in await events.page(tx, tenant) if row.kind.startswith(prefix)]


async def fail(desk, times, name="pat", address=HERE):
    for _ in range(times):
        assert await desk.users.sign_in(name, "wrong password", address) is None


# -- lockout


async def test_failures_lock_a_name_for_every_process_and_longer_each_time(desk, any_url, clock):
    async with another(any_url, clock) as other:
        await fail(desk, 3)
        await fail(other, 2)
        for wait in (60, 120, 240):
            for one in (desk, other):
                with pytest.raises(Locked, match=f"Wait {wait // 60} minute"):
                    await one.users.sign_in("pat", PASSWORD, "10.0.0.2")
            clock.forward(wait - 1)
            with pytest.raises(Locked):
                await desk.users.sign_in("pat", PASSWORD, HERE)
            clock.forward(2)
            await fail(other, 1)
        clock.forward(481)
        assert await desk.users.sign_in("pat", PASSWORD, HERE)
        await fail(other, 4)
        assert await desk.users.sign_in("pat", PASSWORD, HERE), "a success is a fresh start"


async def test_a_lock_survives_a_restart_and_an_admin_opens_it(any_url, clock):
    async with assent.open(any_url, clock=clock) as desk:
        await staff(desk)
        await desk.users.add("pat", PASSWORD)
        await fail(desk, 5)
    async with assent.open(any_url, clock=clock) as desk:
        with pytest.raises(Locked):
            await desk.users.sign_in("pat", PASSWORD, HERE)
        with pytest.raises(NotAllowed):
            await desk.users.unlock("pat", "lee")
        assert await desk.users.unlock("pat", "root") and not await desk.users.unlock("pat", "root")
        assert await desk.users.sign_in("pat", PASSWORD, HERE)


async def test_twenty_guesses_at_once_get_no_more_tries_than_five(desk):
    tried = await asyncio.gather(*[desk.users.sign_in("pat", f"guess {n}", HERE) for n in range(20)], return_exceptions=True)
    assert tried.count(None) == 5 and sum(isinstance(one, Locked) for one in tried) == 15


async def test_an_address_is_locked_whatever_the_names_and_links_it_tries_but_not_by_those_who_get_in(desk):
    desk.users.attempts.limits = Limits(per_address=2)
    for number in range(9):
        await fail(desk, 1, name=f"name {number}")
    assert await desk.users.sign_in("pat", PASSWORD, HERE)
    assert await desk.users.sign_in_by_link("no such link", HERE) is None
    link = await desk.users.mint_sign_in("ada")
    for attempt in (desk.users.sign_in("ada", PASSWORD, HERE), desk.users.sign_in_by_link(link, HERE)):
        with pytest.raises(Locked):
            await attempt
    assert await desk.users.sign_in_by_link(link, "10.0.0.2")


async def test_failures_that_are_far_apart_are_not_counted_together(desk, clock):
    for _ in range(3):
        await fail(desk, 4)
        clock.forward(901)
    assert await desk.users.sign_in("pat", PASSWORD, HERE)


async def test_what_came_of_signing_in_is_on_record_and_a_name_nobody_has_is_not(desk):
    await fail(desk, 5)
    await fail(desk, 1, name="hunter2, typed into the wrong field")
    assert await kinds(desk, "session.") == ["session.refused"] * 4 + ["session.locked", "session.refused"]
    async with desk.store.read() as tx:
        from assent.graph.store import events

        rows = await events.page(tx, "main")
    assert "hunter2" not in str([(row.body, row.payload, row.subject) for row in rows])


async def test_a_hash_by_old_parameters_is_made_again_at_the_next_sign_in(desk):
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    async with desk.store.begin() as tx:
        row = await users.get(tx, "pat")
        row.password_hash = old
        await users.put(tx, row)
    assert await desk.users.sign_in("pat", PASSWORD, HERE)
    async with desk.store.read() as tx:
        new = (await users.get(tx, "pat")).password_hash
    assert new != old and "m=65536,t=3" in new and await desk.users.verify("pat", PASSWORD)


# -- sessions


async def kept(desk, token):
    """Return the session's next secret, as the guard asks for it with every request."""
    session = await desk.users.sessions.find(token)
    return await desk.users.sessions.keep(session) if session is not None else None


async def test_a_session_gets_a_new_secret_after_an_hour_and_the_old_one_works_for_a_minute_more(desk, clock):
    first = await desk.users.open_session("ada")
    for _ in range(7):
        clock.forward(9 * 60)
        second = await kept(desk, first)
    assert second and second != first
    assert await kept(desk, first) is None, "a second request at that moment gets none of its own"
    assert await desk.users.session(first) and await desk.users.session(second)
    clock.forward(61)
    assert await desk.users.session(first) is None and await desk.users.session(second)
    assert len(await desk.users.sessions.of("ada")) == 1


async def test_signing_out_with_the_old_secret_ends_the_new_one_too(desk, clock):
    first = await desk.users.open_session("ada")
    clock.forward(50 * 60)
    assert await kept(desk, first) is None
    clock.forward(11 * 60)
    second = await kept(desk, first)
    await desk.users.close_session(first)
    assert await desk.users.session(second) is None and await desk.users.sessions.of("ada") == []


async def test_a_session_ends_unused_after_an_hour_and_used_after_twelve(desk, clock):
    idle, busy = await desk.users.open_session("ada"), await desk.users.open_session("ada")
    for _ in range(71):
        clock.forward(10 * 60)
        busy = await kept(desk, busy) or busy
    assert await desk.users.session(idle) is None and await desk.users.session(busy)
    clock.forward(11 * 60)
    assert await desk.users.session(busy) is None


async def test_sessions_end_with_role_account_password_and_reset(desk):
    async def sessions(name="pat"):
        return [await desk.users.open_session(name) for _ in range(2)]

    async def still(opened):
        return [bool(await desk.users.session(one)) for one in opened]

    opened, others = await sessions(), await sessions("ada")
    await desk.users.set_role("pat", "lead", "root")
    assert await still(opened) == [False, False]
    opened = await sessions()
    await desk.users.switch("pat", "root", active=False)
    await desk.users.switch("pat", "root", active=True)
    assert await still(opened) == [False, False]
    opened = await sessions()
    assert not await desk.users.change_password("pat", "wrong password", "another password", HERE)
    assert await still(opened) == [True, True]
    assert await desk.users.change_password("pat", PASSWORD, "another password", HERE)
    assert await still(opened) == [False, False]
    opened = await sessions()
    await desk.users.mint_reset("pat", "root")
    assert await still(opened) == [False, False]
    opened = await sessions()
    assert await desk.users.end_sessions("pat", "pat") == 2 and await still(opened) == [False, False]
    with pytest.raises(NotAllowed):
        await desk.users.end_sessions("ada", "pat")
    assert await still(others) == [True, True]


# -- accounts


async def test_a_reset_voids_the_old_password_and_its_link_sets_a_new_one_once(desk, clock):
    with pytest.raises(NotAllowed):
        await desk.users.mint_reset("pat", "lee")
    old_link = await desk.users.mint_reset("pat", "root")
    link = await desk.users.mint_reset("pat", "root")
    assert await desk.users.verify("pat", PASSWORD) is None
    assert await desk.users.redeem_reset(old_link, "a newer password", HERE) is None
    with pytest.raises(AssentError, match="8 to 400"):
        await desk.users.redeem_reset(link, "short", HERE)
    assert (await desk.users.redeem_reset(link, "a newer password", HERE)).name == "pat"
    assert await desk.users.redeem_reset(link, "a third password", HERE) is None
    assert await desk.users.verify("pat", "a newer password") and not await desk.users.verify("pat", "a third password")
    late = await desk.users.mint_reset("pat", "root")
    clock.forward(24 * 3600 + 1)
    assert await desk.users.redeem_reset(late, "a newer password", HERE) is None


async def test_the_first_admin_is_made_once_however_many_try(any_url):
    async with assent.open(any_url) as one, assent.open(any_url) as other:
        tried = await asyncio.gather(
            *[desk.users.first_admin(f"admin {n}", tenant="main") for n, desk in enumerate((one, other, one, other))],
            return_exceptions=True,
        )
        assert sum(isinstance(found, NotAllowed) for found in tried) == 3
        (name,) = [user.name for user in await one.users.list()]
        link = await one.users.mint_first(name)
        assert await one.users.redeem_reset(link, PASSWORD, HERE) and await one.users.verify(name, PASSWORD)
        with pytest.raises(NotAllowed):
            await one.users.mint_first(name)


async def test_a_name_is_given_to_one_of_two_who_ask_at_once(desk, any_url, clock):
    async with another(any_url, clock) as other:
        tried = await asyncio.gather(*[one.users.add("new") for one in (desk, other)], return_exceptions=True)
    assert sum(isinstance(found, AssentError) for found in tried) == 1


async def test_only_an_admin_adds_users_in_their_own_tenant(desk):
    with pytest.raises(NotAllowed):
        await desk.users.add("new", by="lee")
    assert (await desk.users.add("new", by="root", tenant="rival")).tenant == "main"


async def test_nobody_changes_their_own_role_and_the_last_admin_stays(desk):
    with pytest.raises(NotAllowed, match="own role"):
        await desk.users.set_role("root", "viewer", "root")
    with pytest.raises(NotAllowed, match="last admin"):
        await desk.users.switch("root", "root", active=False)
    await desk.users.set_role("lee", "admin", "root")
    await desk.users.set_role("root", "viewer", "lee")
    with pytest.raises(NotAllowed, match="last admin"):
        await desk.users.switch("lee", "lee", active=False)


async def test_two_admins_who_remove_each_other_at_once_leave_one(desk, any_url, clock):
    await desk.users.set_role("lee", "admin", "root")
    async with another(any_url, clock) as other:
        await asyncio.gather(
            desk.users.set_role("lee", "viewer", "root"), other.users.set_role("root", "viewer", "lee"), return_exceptions=True
        )
    assert [user.name for user in await desk.users.list() if user.role == "admin"] in (["lee"], ["root"])


async def test_changes_of_accounts_are_on_record(desk):
    await desk.users.set_role("pat", "lead", "root")
    await desk.users.switch("pat", "root", active=False)
    await desk.users.switch("pat", "root", active=True)
    link = await desk.users.mint_reset("pat", "root")
    await desk.users.redeem_reset(link, PASSWORD, HERE)
    _, token = await desk.users.tokens.make("pat", ["read"], "pat")
    await desk.users.tokens.revoke("pat", token.id, "root")
    assert (await kinds(desk, "user."))[-5:] == ["user.role", "user.off", "user.on", "user.reset", "user.password"]
    assert await kinds(desk, "token.") == ["token.made", "token.revoked"]


# -- tokens


async def test_a_token_is_kept_as_a_hash_and_ends_by_revocation_time_and_account(desk, clock):
    secret, token = await desk.users.tokens.make("ada", ["decide"], "ada", days=2, label="the nightly job")
    found = await desk.users.tokens.find(secret)
    assert (found.user.name, found.scopes) == ("ada", {"decide", "read"})
    assert secret not in repr(await desk.users.tokens.of("ada")) and token.id not in secret
    assert await desk.users.session(secret) is None and await desk.users.tokens.find(token.id) is None
    await desk.users.switch("ada", "root", active=False)
    assert await desk.users.tokens.find(secret) is None
    await desk.users.switch("ada", "root", active=True)
    assert await desk.users.tokens.find(secret)
    clock.forward(2 * 24 * 3600 + 1)
    assert await desk.users.tokens.find(secret) is None
    secret, token = await desk.users.tokens.make("ada", ["read"], "root")
    with pytest.raises(NotAllowed):
        await desk.users.tokens.revoke("ada", token.id, "bob")
    await desk.users.tokens.revoke("ada", token.id, "ada")
    assert await desk.users.tokens.find(secret) is None
    with pytest.raises(AssentError, match="no open token"):
        await desk.users.tokens.revoke("ada", token.id, "ada")


async def test_a_token_never_exceeds_its_user_not_even_when_the_user_falls(desk):
    for name, scope in (("vi", "decide"), ("ada", "control"), ("lee", "admin")):
        with pytest.raises(NotAllowed, match="never exceeds"):
            await desk.users.tokens.make(name, [scope], "root")
    secret, _ = await desk.users.tokens.make("lee", ["control", "decide"], "lee")
    await desk.users.set_role("lee", "viewer", "root")
    assert not (await desk.users.tokens.find(secret)).scopes
    await desk.users.set_role("lee", "operator", "root")
    assert (await desk.users.tokens.find(secret)).scopes == {"decide", "read"}


@pytest.mark.parametrize(
    ("scopes", "days", "actor"),
    [([], 1, "ada"), (["everything"], 1, "ada"), (["read"], 0, "ada"), (["read"], float("nan"), "ada"), (["read"], 999, "ada"),
     (["read"], 1, "bob"), (["read"], 1, ""), (["read"], 1, "nobody")],
)  # fmt: skip
async def test_a_token_for_nothing_for_ever_or_by_somebody_else_is_not_made(desk, scopes, days, actor):
    with pytest.raises(AssentError):
        await desk.users.tokens.make("ada", scopes, actor, days=days)
    assert await desk.users.tokens.of("ada") == []


async def test_a_service_never_signs_in_and_never_looks(desk):
    await desk.users.add("shop", PASSWORD, "service", by="root")
    assert await desk.users.verify("shop", PASSWORD) is None and await desk.users.sign_in("shop", PASSWORD, HERE) is None
    for way in (desk.users.open_session("shop"), desk.users.mint_sign_in("shop"), desk.pending("shop")):
        with pytest.raises(NotAllowed):
            await way
    secret, _ = await desk.users.tokens.make("shop", ["send"], "root")
    assert (await desk.users.tokens.find(secret)).scopes == {"send"}
    assert timedelta(days=29) < (await desk.users.tokens.of("shop"))[0].expires_at - desk.clock()
