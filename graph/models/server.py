"""The embedded model's server as an async context manager: private, on loopback, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import secrets
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ..errors import ModelUnavailable
from .packages import SMOLLM2, find, sha256_of

_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the embedded model is served; the defaults suit a small model beside other work on the same machine."""

    threads: int = 0
    """Computing threads; 0 takes half of the cores that this process may use, at most 4."""
    context: int = 8192
    """Tokens of prompt and answer together, per request that runs at once."""
    parallel: int = 1
    """Requests that run at once; each needs its own memory for `context` tokens."""
    cache_ram_mib: int = 0
    """Memory for prompts that were pushed out, beside the one kept per parallel request."""
    gpu_layers: int = 0
    """Layers given to a graphics card, where the installed xllamacpp can use one."""
    port: int = 0
    """0 takes a free one."""
    start_seconds: float = 60.0
    """How long loading may take."""

    def as_json(self) -> dict[str, Any]:
        """Return what the server process needs to know, with the numbers worked out."""
        return {
            "threads": self.threads or default_threads(),
            "context": self.context * self.parallel,
            "parallel": self.parallel,
            "cache_ram_mib": self.cache_ram_mib,
            "gpu_layers": self.gpu_layers,
            "port": self.port,
        }


def build_of(gguf: Path | None = None) -> str:
    """Return what tells an embedded model from another one of its name: its file's digest, and the build of what serves it.

    Of a file of your own every byte is read, about a second for each gigabyte; the pinned one was checked when it was fetched.
    """
    digest = SMOLLM2.files[0].sha256 if gguf is None else sha256_of(gguf)
    try:
        server = importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError:
        server = "none"
    return f"sha256 {digest or 'unreadable'}, xllamacpp {server}"


def default_threads() -> int:
    """Return half of the cores this process may use, from 1 to 4: the desk must stay quick while the model computes."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, allowed // 2))


class EmbeddedServer:
    """llama.cpp's OpenAI-compatible server in a process of its own.

    Loading holds Python's lock for as long as it takes (0.5 s for the pinned model, longer for a larger one), and a
    native fault would end the process it happens in: hence one of its own. It leaves when this one does, in any case.
    Use it as ``async with EmbeddedServer() as server``.
    """

    base_url: str
    """Address of the OpenAI-compatible API, ending in /v1; set once the server is ready."""
    api_key: str
    """Random, for this server only."""
    model: str
    """Name the model is served under."""

    def __init__(self, gguf: Path | None = None, settings: ServerSettings | None = None) -> None:
        """Prepare a server.

        Args:
            gguf: another model's file; without it the pinned SmolLM2 from the user's cache.
            settings: how to serve it.
        """
        self._gguf = gguf
        self._settings = settings or ServerSettings()
        self._process: asyncio.subprocess.Process | None = None
        self._log: IO[bytes] | None = None
        self.model = gguf.stem if gguf else SMOLLM2.title
        self.api_key = ""
        self.base_url = ""

    @property
    def is_running(self) -> bool:
        """Whether the server process is alive."""
        return self._process is not None and self._process.returncode is None

    async def __aenter__(self) -> Self:
        """Start the server and wait until it can answer; raises ModelMissing, ModelUnavailable."""
        path = await asyncio.to_thread(self._model_file)
        self.api_key = secrets.token_urlsafe(32)
        try:
            async with asyncio.timeout(self._settings.start_seconds):
                self.base_url = f"{await self._start(path)}/v1"
        except TimeoutError:
            await self._stop()
            seconds = self._settings.start_seconds
            raise ModelUnavailable(f"{self.model} was not ready within {seconds:g} seconds; allow it more.") from None
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop the server."""
        await self._stop()

    def _model_file(self) -> Path:
        if importlib.util.find_spec("xllamacpp") is None:
            raise ModelUnavailable("The embedded model needs the extra `local`: pip install 'assent[local]'.")
        if self._gguf is None:
            return find(SMOLLM2) / SMOLLM2.files[0].name
        with contextlib.suppress(OSError), self._gguf.open("rb") as file:
            if file.read(4) == b"GGUF":
                return self._gguf.resolve()
        raise ModelUnavailable(f"{self._gguf} is not a GGUF model file that can be read.")

    async def _start(self, path: Path) -> str:
        """Start the process and return its address once it has loaded the model."""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(Path(__file__).with_name("serving.py"))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for this process, which then stops the server in order
        )
        settings = {**self._settings.as_json(), "gguf": str(path), "model": self.model, "api_key": self.api_key}
        assert process.stdin and process.stdout
        with contextlib.suppress(ConnectionError):
            process.stdin.write(json.dumps({**settings, "parent": os.getpid()}).encode() + b"\n")
            await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            await process.wait()
            raise ModelUnavailable(f"{self.model} could not be loaded: {self._last_words()}.")
        address: str = json.loads(line)["address"]
        return address

    def _last_words(self) -> str:
        """Return the last line the server process wrote about its end."""
        assert self._log
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read()[-4000:].decode(errors="replace").splitlines()]
        return next((line[:200] for line in reversed(lines) if line), "it gave no reason").rstrip(".")

    async def _stop(self) -> None:
        """End the process: first by closing its input, then by force."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None
