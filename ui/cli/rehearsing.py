"""`assent rehearse`: how a class of actions earns autonomy and loses it again, played in a few minutes on a desk of its own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import typer

from ...evals.opening import open_desk
from ...evals.rehearsal.cast import AGENT, TOOL, RehearsedAgent, parts
from ...evals.rehearsal.story import REVIEWERS, Rehearsal, Sign, Tell, signed_in_the_desk
from ...graph.confidence import agreement
from ...graph.desk import Desk
from ...tools.shop.actions import shop_tools
from ...tools.shop.tables import open_shop
from .demo import free_port, web_server
from .place import INSTRUCTIONS, OPERATOR
from .say import Failed, print_json, progress, show, tell, wait_for


def rehearse(
    home: Annotated[Path, typer.Option(help="The folder that the rehearsal's desk lives in; made anew.")] = Path("rehearsal"),
    sign: Annotated[bool, typer.Option("--sign", help="Let the rehearsal's own lead sign, instead of waiting for you.")] = False,
    cases: Annotated[int, typer.Option(help="The most cases that are played.", min=50, max=5000)] = 900,
    calm: Annotated[int, typer.Option(help="Cases between the signature and the change for the worse.", min=0)] = 100,
    right_after: Annotated[
        float, typer.Option(help="How often the agent is right in clear cases after the change.", min=0, max=1)
    ] = 0.6,
    seed: Annotated[int, typer.Option(help="Draws the cases, and where the agent errs.")] = 1,
    port: Annotated[int, typer.Option(help="Where its desk listens, on 127.0.0.1.", min=1, max=65535)] = 7861,
    as_json: Annotated[bool, typer.Option("--json", help="Print what happened as JSON (with --sign).")] = False,
) -> None:
    """Watch a class of actions earn a certificate, be signed, pass with audits, get worse, and be demoted.

    The desk, the gate, the database and the statistics are the real ones. The agent and the reviewers are a cast: how often the
    agent is right is set beforehand, so that what the gate makes of it can be checked.
    """
    if as_json and not sign:
        raise Failed("--json needs --sign: without it the rehearsal waits for you in the desk.", 2)
    import_module("sklearn")  # without it nothing could be certified; main tells which extra brings it
    _cleared(home)
    stage, how = Stage(home.absolute(), cases, seed), {"calm": calm, "right_after": right_after}
    told = wait_for(_signed(stage, how) if sign else _watched(stage, how, port))
    if as_json:
        print_json(told)
    if told["demoted_at"] is None:
        raise typer.Exit(1)


def _cleared(home: Path) -> None:
    """Make room for a rehearsal; only what an earlier one left is taken away."""
    if home.is_dir() and any(home.iterdir()):
        if not (home / "rehearsal.txt").exists():
            raise Failed(f"{home} holds something else; name an empty folder with --home.", 2)
        shutil.rmtree(home)
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / "rehearsal.txt").write_text("A rehearsal of `assent rehearse`; it may be deleted.\n", encoding="utf-8")
    except OSError as error:
        raise Failed(f"{home} cannot be made ({error.strerror}); name another folder with --home.", 2) from None


@dataclass(frozen=True, slots=True)
class Stage:
    """Where it is played, and by whom."""

    home: Path
    cases: int
    seed: int


@contextlib.asynccontextmanager
async def _opened(stage: Stage, tell: Tell) -> AsyncIterator[Rehearsal]:
    """Open the desk and the shop, and put the cast on it."""
    cast, home = parts(stage.seed, stage.cases), stage.home
    with as_file(files("assent.tools.shop") / "policy.yaml") as policy:
        async with open_shop(home / "shop.db") as shop, open_desk(f"sqlite:///{home / 'assent.db'}") as desk:
            for who in REVIEWERS:
                await desk.users.add(who)
            await desk.users.add(OPERATOR, role="lead")
            player = RehearsedAgent(cast, stage.seed)
            agent = desk.agent(
                None,
                shop_tools(shop),
                policy=policy,
                instructions=INSTRUCTIONS,
                propose=player,
                signals=[agreement(k=3)],
                actions_per_turn=1,
                may_finish=False,
                model_name="the rehearsal's cast",
            )
            yield Rehearsal(desk, agent, player, cast, tell)


async def _signed(stage: Stage, how: dict[str, Any]) -> dict[str, Any]:
    with progress() as bars:
        task = bars.add_task("cases", total=stage.cases)

        def hear(scene: str, case: int, sentence: str) -> None:
            bars.update(task, completed=case, description=scene)
            bars.console.print(f"case {case:>4}  {sentence}", highlight=False, markup=False, soft_wrap=True)

        async with _opened(stage, hear) as rehearsal:
            played = await rehearsal.play(_lead_signs, **how)
    return played.as_json()


async def _watched(stage: Stage, how: dict[str, Any], port: int) -> dict[str, Any]:
    free_port(port)

    def hear(scene: str, case: int, sentence: str) -> None:
        tell(f"case {case:>4}  {sentence}")

    async with _opened(stage, hear) as rehearsal:
        server = await asyncio.to_thread(web_server, rehearsal.desk, port)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110 - the server raises no event
            await asyncio.sleep(0.05)
        token = await rehearsal.desk.users.mint_sign_in(OPERATOR)
        tell("Sign in as the lead with this link (ten minutes), and look at Insights; stop with Ctrl-C:")
        show(f"http://127.0.0.1:{port}/sign-in?token={token}")
        tell("When a certificate is offered, sign it there; the rehearsal goes on by itself.")
        playing = asyncio.create_task(rehearsal.play(_told_to_sign(port), **how))
        await asyncio.wait((playing, serving), return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            tell("The rehearsal is over; the desk stays open until you stop it with Ctrl-C.")
            await serving
        playing.cancel()
        return rehearsal.told.as_json()


def _told_to_sign(port: int) -> Sign:
    async def sign(desk: Desk) -> None:
        tell(f"Sign it under Insights: http://127.0.0.1:{port}/insights")
        await signed_in_the_desk(desk)

    return sign


async def _lead_signs(desk: Desk) -> None:
    from ...evals.ladder import levels
    from ...evals.ladder.evidence import evidence_of

    found = await evidence_of(desk.store, desk.clock, desk.tenant, AGENT, TOOL)
    why, store = "The rehearsal's lead signs what is offered.", desk.store
    signed = levels.promote(
        store, desk.clock, AGENT, TOOL, found.to, OPERATOR, digest=found.digest, certificate=found.offered, reason=why
    )
    await signed
