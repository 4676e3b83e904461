"""People: roles ascend, names come from the server, secrets are kept as hashes, links work once, and tenants stay apart."""

from __future__ import annotations

import sqlite3

import pytest
from assent.graph.errors import AssentError, NotAllowed

HERE = "10.0.0.1"


@pytest.fixture
async def desk(timed):
    return timed


async def test_a_password_fits_or_it_does_not(desk):
    await desk.users.add("pat", "correct horse")
    assert (await desk.users.verify("pat", "correct horse")).name == "pat"
    for name, password in (("pat", "Correct horse"), ("pat", ""), ("ada", ""), ("ada", "x"), ("nobody", "x")):
        assert await desk.users.verify(name, password) is None
    await desk.users.switch("pat", "root", active=False)
    assert await desk.users.verify("pat", "correct horse") is None


async def test_no_secret_is_kept(desk, tmp_path):
    await desk.users.add("pat", "correct horse battery")
    link, session = await desk.users.mint_sign_in("pat"), await desk.users.open_session("pat")
    await desk.users.sign_in_by_link(link, HERE)
    everything = b"".join(path.read_bytes() for path in tmp_path.glob("desk.db*"))
    for secret in ("correct horse battery", link, session):
        assert secret.encode() not in everything


async def test_a_sign_in_link_works_once_and_ten_minutes(desk, clock):
    link = await desk.users.mint_sign_in("ada")
    session = await desk.users.sign_in_by_link(link, HERE)
    assert (await desk.users.session(session)).name == "ada"
    assert await desk.users.sign_in_by_link(link, HERE) is None
    late = await desk.users.mint_sign_in("ada")
    clock.forward(601)
    assert await desk.users.sign_in_by_link(late, HERE) is None
    assert await desk.users.sign_in_by_link("", HERE) is None


async def test_a_session_is_open_until_it_is_closed_or_old(desk, clock):
    one, other = await desk.users.open_session("ada"), await desk.users.open_session("ada")
    assert one != other and (await desk.users.session(one)).name == "ada"
    await desk.users.close_session(one)
    assert await desk.users.session(one) is None and (await desk.users.session(other)).name == "ada"
    clock.forward(12 * 3600 + 1)
    assert await desk.users.session(other) is None


async def test_a_link_is_no_session_and_a_session_no_link(desk):
    link, session = await desk.users.mint_sign_in("ada"), await desk.users.open_session("ada")
    assert await desk.users.session(link) is None and await desk.users.sign_in_by_link(session, HERE) is None


async def test_a_role_changes_at_once_and_by_an_admin_only(desk):
    session = await desk.users.open_session("ada")
    for who in ("ada", "lee", "nobody"):
        with pytest.raises(NotAllowed):
            await desk.users.set_role("ada", "admin", who)
        with pytest.raises(NotAllowed):
            await desk.users.switch("bob", who, active=False)
    await desk.users.set_role("ada", "viewer", "root")
    assert (await desk.users.get("ada")).role == "viewer" and await desk.users.session(session) is None
    session = await desk.users.open_session("ada")
    await desk.users.switch("ada", "root", active=False)
    assert await desk.users.session(session) is None


async def test_an_admin_of_another_tenant_changes_nobody_here(desk):
    await desk.users.add("eve", role="admin", tenant="rival")
    with pytest.raises(AssentError):
        await desk.users.set_role("vi", "admin", "eve")
    with pytest.raises(AssentError):
        await desk.users.switch("ada", "eve", active=False)
    assert (await desk.users.get("vi")).role == "viewer" and (await desk.users.get("ada")).active


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\u202eb", "\ud800"])
async def test_a_name_can_be_read(desk, name):
    with pytest.raises(AssentError):
        await desk.users.add(name)


async def test_a_name_is_taken_once_and_a_role_is_known(desk):
    with pytest.raises(AssentError, match="already"):
        await desk.users.add("ada")
    with pytest.raises(AssentError, match="role"):
        await desk.users.add("new", role="superhero")
    with pytest.raises(AssentError):
        await desk.users.mint_sign_in("nobody")


async def test_the_roles_ascend(desk):
    from assent.graph.access.people import ROLES, require

    await desk.users.add("bot", role="service")
    people = {"service": "bot", "viewer": "vi", "operator": "ada", "lead": "lee", "admin": "root"}
    async with desk.store.read() as tx:
        for has in ROLES:
            for needs in ROLES:
                if ROLES.index(has) >= ROLES.index(needs):
                    assert (await require(tx, people[has], needs)).role == has
                else:
                    with pytest.raises(NotAllowed, match=needs):
                        await require(tx, people[has], needs)


async def test_a_lead_takes_out_any_example_an_operator_only_ones_own(desk, tmp_path):
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(examples)")]
    connection.close()
    assert "retired_by" in names
    with pytest.raises(AssentError, match="no such example"):
        await desk.retire("ex_none", "lee")
    with pytest.raises(NotAllowed):
        await desk.retire("ex_none", "vi")
