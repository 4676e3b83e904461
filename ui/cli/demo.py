"""`assent demo`: the whole loop in one command, with the desk in a browser or headless for scripts."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from ...graph.desk import Desk
from ...graph.work.worker import Worker
from .brain import Brain, BrainOptions, Proposals, pull_models
from .feed import feed, hand_in, letters
from .place import OPERATOR, Place, open_place
from .say import Failed, err, print_json, progress, show, tell, wait_for

Home = Annotated[Path, typer.Option(envvar="ASSENT_HOME", help="The folder the demo lives in.")]
Model = Annotated[
    str | None,
    typer.Option(help="A model of the endpoint in OPENAI_BASE_URL; without an endpoint the embedded one."),
]
Gguf = Annotated[Path | None, typer.Option(help="Another GGUF file for the embedded server.")]
How = Annotated[str, typer.Option(help="How the model proposes: auto, native (its tool calls) or structured (a schema).")]


def demo(
    home: Home = Path("desk"),
    messages: Annotated[Path | None, typer.Option(help="JSON lines with `text`, instead of the demo's own.")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="No browser: feed, print, leave the queue pending.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON (with --headless).")] = False,
    count: Annotated[int, typer.Option(help="How many messages to feed with --headless.", min=1)] = 8,
    port: Annotated[int, typer.Option(help="Where the desk listens, on 127.0.0.1.", min=1, max=65535)] = 7860,
    seed: Annotated[int, typer.Option(help="Draws the order of the messages.")] = 1,
    policy: Annotated[Path | None, typer.Option(help="Another policy file.")] = None,
    model: Model = None,
    gguf: Gguf = None,
    proposals: How = "auto",
) -> None:
    """Watch a real model propose actions, and decide them."""
    options = brain_options(model, gguf, proposals)
    if headless:
        found = wait_for(_headless(home, messages, count, seed, policy, options))
        print_json(found) if as_json else _print(found)
        if found["tasks"] and not found["pending"] and not found["automatic"]:
            raise Failed("no message could be worked; see what needs a person, then try again with `assent inbox retry CASE`")
        return
    free_port(port)
    with contextlib.suppress(KeyboardInterrupt):
        wait_for(_served(home, messages, port, seed, policy, options))
    tell("Stopped. What waits is kept; the same command goes on with it.")


def brain_options(model: str | None, gguf: Path | None, proposals: str) -> BrainOptions:
    """Return what the command line says about the model; raises Failed for a word it does not know."""
    known: dict[str, Proposals] = {"auto": "auto", "native": "native", "structured": "structured"}
    if proposals not in known:
        raise Failed(f"--proposals is auto, native or structured, not {proposals!r}.", 2)
    return BrainOptions(model, gguf, known[proposals])


def free_port(port: int, host: str = "127.0.0.1") -> None:
    """Raise Failed if the desk cannot listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Failed(f"Port {port} on {host} is in use; give another one with --port.") from None
        raise Failed(f"The desk cannot listen on {host}, port {port}: {error.strerror}.") from None


async def _headless(
    home: Path, messages: Path | None, count: int, seed: int, policy: Path | None, options: BrainOptions
) -> dict[str, Any]:
    given = letters(messages, seed)
    await pull_models(options)
    async with open_place(home, options, policy=policy) as place:
        fed: list[str] = []
        with progress() as bars:
            task = bars.add_task(f"{place.brain.model_name} proposes", total=count)
            for letter in given:
                if len(fed) >= count:
                    break
                if await hand_in(place, letter):
                    await place.desk.drain()
                    fed.append(letter.thread)
                bars.update(task, completed=len(fed))
        return await _report(place, fed)


async def _report(place: Place, fed: list[str]) -> dict[str, Any]:
    lines = await place.desk.history(OPERATOR, limit=1000)
    pending = await place.desk.pending(OPERATOR, limit=1000)
    return {
        "home": str(place.home),
        "model": place.brain.model_name,
        "messages": len(fed),
        "pending": [_short(card.as_json()) for card in pending if card.thread in fed],
        "automatic": [_line(line.as_json()) for line in lines if line.thread in fed and line.decision == "automatic"],
        "refused": [_line(line.as_json()) for line in lines if line.thread in fed and line.decision == "refused"],
        "tasks": [task.as_json() for task in await place.desk.tasks(OPERATOR) if task.thread in fed],
    }


def _short(card: dict[str, Any]) -> dict[str, Any]:
    kept = ("id", "number", "thread", "requester", "tool", "title", "args", "digest", "consequence", "reasons", "priority")
    said = [turn["text"] for turn in card["conversation"] if turn["role"] == "requester"]
    confidence = card["confidence"]["value"] if card["confidence"] else None
    return {**{name: card[name] for name in kept}, "text": said[-1] if said else "", "confidence": confidence}


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("thread", "requester", "tool", "args", "outcome", "result", "reason")}


def _print(found: dict[str, Any]) -> None:
    show(f"messages handed to {found['model']}: {found['messages']}; the desk is in {found['home']}")
    for line in found["automatic"]:
        show(f"  ran unreviewed   {line['tool']} {line['args']}: {line['result']}")
    for line in found["refused"]:
        show(f"  refused          {line['tool']} {line['args']}: {line['reason']}")
    for card in found["pending"]:
        show(f"  RQ-{card['number']} waits for you   {card['tool']} {card['args']}")
    for task in found["tasks"]:
        show(f"  needs you        {task['thread']}: {task['text']}")
    if found["pending"]:
        number = found["pending"][0]["number"]
        show(f"Decide with `assent inbox list`, `assent inbox show {number}`, `assent inbox approve {number}`.")


async def _served(home: Path, messages: Path | None, port: int, seed: int, policy: Path | None, options: BrainOptions) -> None:
    started = time.monotonic()
    given = letters(messages, seed)
    await pull_models(options)
    async with open_place(home, options, policy=policy) as place, contextlib.AsyncExitStack() as running:
        works = {"The worker": Worker.run(place.desk.worker, 2), "The model": _warm(place.brain), "The feed": feed(place, given)}
        for name, work in works.items():
            task = asyncio.create_task(work, name=name)
            task.add_done_callback(_say_why_it_stopped)
            running.callback(task.cancel)
        with err.status("Opening the desk"):
            server = await asyncio.to_thread(web_server, place.desk, port)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        if not serving.done():
            token = await place.desk.users.mint_sign_in(OPERATOR)
            tell(f"Ready after {time.monotonic() - started:.0f} s. {place.brain.model_name} reads the messages now.")
            tell("Sign in once with this link (ten minutes), stop with Ctrl-C:")
            show(f"http://127.0.0.1:{port}/sign-in?token={token}")
        await serving


def _say_why_it_stopped(task: asyncio.Task[None]) -> None:
    """Tell in one line when work in the background ended by an error; the desk stays open, so that people can decide."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logging.getLogger("assent").error("%s stopped", task.get_name(), exc_info=error)
        tell(f"assent: {task.get_name()} stopped: {' '.join(str(error).split())[:300]}")


async def _warm(brain: Brain) -> None:
    """Start the embedded model while the rest is being opened; a failure shows where the model is asked."""
    if brain.options.embedded:
        await brain.chat()


def web_server(desk: Desk, port: int) -> Any:
    """Return the web server; imports gradio, which takes seconds."""
    import uvicorn

    from ...tools.shop.seeding import read_customers
    from .. import Requester, UiSettings, create_app

    customers = [Requester(one.id, f"{one.name} ({one.id})") for one in read_customers()]
    app = create_app(desk, UiSettings(requesters=lambda: customers, run_worker=False))
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
    return uvicorn.Server(config)
