"""The real web application in a process of its own, for the benchmarks: `python -m bench.web URL PORT`; it drives no thread."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0
"""Seconds the application may take to start."""


async def serve(url: str, port: int) -> None:
    """Serve the desk on a database until the process is ended."""
    import uvicorn
    from assent.graph.authority.limits import Limits
    from assent.graph.opening import open_desk
    from assent.ui import UiSettings, create_app

    async with open_desk(url, limits=Limits(queue=10_000_000)) as desk:
        app = create_app(desk, UiSettings(run_worker=False))
        await uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none", timeout_graceful_shutdown=1)).serve()


@contextmanager
def served(url: str) -> Iterator[str]:
    """Start the application on a database in a process of its own; lends its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "bench.web", url, str(port)], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, address)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the web application did not start; what it said is above")
        try:
            httpx.get(f"{address}/sign-in.css", timeout=5)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the web application did not start within {PATIENCE:.0f} s")


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
