"""`assent doctor`: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ...graph.errors import AssentError
from .database import Database, shown
from .inbox import Home, Json
from .say import Failed, print_json, show, wait_for

Finding = tuple[str, bool, str]
"""What was looked at, whether it is well, and what was found or what to do."""

PARTS = {
    "cli": ("typer", "rich"),
    "ui": ("gradio", "fastapi", "uvicorn", "argon2"),
    "models": ("openai", "langchain_openai", "httpx"),
    "local": ("xllamacpp", "numpy", "tokenizers", "safetensors"),
    "audit": ("cryptography",),
}

DEPLOYED = ("cli", "ui", "audit")
"""What a desk on a database of its own needs; its models and their weights are its TARGET's affair."""


def doctor(
    home: Home = Path("desk"),
    database: Database = None,
    as_json: Json = False,
    policy: Annotated[Path | None, typer.Option(help="A policy file to check too.")] = None,
    port: Annotated[int, typer.Option(help="The port the desk should listen on.", min=1, max=65535)] = 7860,
) -> None:
    """Say what is wrong with this installation; exit code 1 if something is."""
    checks: list[Callable[[], Awaitable[list[Finding]]]] = [
        _python,
        lambda: _parts(DEPLOYED if database else tuple(PARTS)),
        *(() if database else (_weights, _endpoint)),
        lambda: _database(database) if database else _desk(home),
        lambda: _policy(policy),
        *(() if database else (lambda: _port(port),)),
    ]

    async def work() -> list[Finding]:
        return [finding for check in checks for finding in await check()]

    findings = wait_for(work())
    if as_json:
        print_json([{"what": what, "well": well, "found": found} for what, well, found in findings])
    else:
        for what, well, found in findings:
            show(f"{'ok ' if well else 'BAD'}  {what}: {found}")
    if not all(well for _, well, _ in findings):
        raise Failed("something is wrong; see the lines marked BAD", 1)


async def _python() -> list[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    well = sys.version_info >= (3, 11)
    return [("Python", well, version if well else f"{version}; 3.11 or newer is needed")]


async def _parts(extras: Sequence[str]) -> list[Finding]:
    findings = []
    for extra in extras:
        modules = PARTS[extra]
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        advice = f"{', '.join(missing)} missing: pip install 'assent[{extra}]'"
        findings.append((f"extra {extra}", not missing, advice if missing else "installed"))
    return findings


async def _weights() -> list[Finding]:
    from ...graph.models.packages import MINILM, SMOLLM2, folder_of, verify

    findings = []
    for package in (SMOLLM2, MINILM):
        wrong = await asyncio.to_thread(verify, package)
        advice = f"{', '.join(wrong)} missing or damaged: run `assent model pull`"
        findings.append((package.title, not wrong, advice if wrong else str(folder_of(package))))
    return findings


async def _endpoint() -> list[Finding]:
    address = os.environ.get("OPENAI_BASE_URL")
    if not address:
        return [("model", True, "the embedded one (OPENAI_BASE_URL is not set)")]
    import httpx

    headers = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'none')}"}
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"{address.rstrip('/')}/models", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return [("model", False, f"{address} does not answer ({type(error).__name__}): start it or unset OPENAI_BASE_URL")]
    well = answer.status_code < 400
    return [("model", well, f"{address} answered {answer.status_code}" + ("" if well else ": check OPENAI_API_KEY"))]


async def _desk(home: Path) -> list[Finding]:
    from ...evals.opening import open_desk

    path = home / "assent.db"
    if not path.exists():
        return [("desk", True, f"none in {home} yet; `assent demo` makes one")]
    try:
        async with open_desk(f"sqlite:///{path}") as desk:
            return [("desk", True, f"{path}, {len(await desk.users.list())} users")]
    except AssentError as error:
        return [("desk", False, str(error))]


async def _database(database: str) -> list[Finding]:
    """Look at a database without changing it."""
    from ...graph.store import migrate
    from ...graph.store.session import Store

    try:
        url = Store(database).url
        if url.get_backend_name() != "sqlite" and importlib.util.find_spec("procrastinate") is None:
            return [("database", False, "procrastinate missing: pip install 'assent[postgres]'")]
        found = await migrate.status(url)
    except AssentError as error:
        return [("database", False, str(error))]
    schema = f"{shown(database)}, schema {found.found or 'none'}"
    return [("database", found.is_current, schema if found.is_current else f"{schema}: {found.advice}")]


async def _policy(policy: Path | None) -> list[Finding]:
    if policy is None:
        return []
    from ...graph.rules.policy_file import load_policy

    try:
        load_policy(policy)
    except AssentError as error:
        return [("policy", False, str(error))]
    return [("policy", True, f"{policy} can be used")]


async def _port(port: int) -> list[Finding]:
    from .demo import free_port

    try:
        free_port(port)
    except Failed as error:
        return [("port", False, str(error))]
    return [("port", True, f"{port} on 127.0.0.1 is free")]
