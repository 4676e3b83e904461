"""The embedded server: private, on loopback, explained when it cannot start, and gone with whoever started it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from assent.graph.errors import ModelUnavailable
from assent.graph.models.packages import SMOLLM2, ModelMissing, is_present
from assent.graph.models.server import EmbeddedServer, ServerSettings, default_threads

needs_model = pytest.mark.skipif(not is_present(SMOLLM2), reason="the pinned model was not pulled")
SMALL = ServerSettings(context=1024)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid: int, seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not is_alive(pid)


@pytest.mark.model
@needs_model
async def test_it_answers_only_who_has_the_key() -> None:
    import httpx

    async with EmbeddedServer(settings=SMALL) as server, httpx.AsyncClient(base_url=server.base_url) as stranger:
        assert server.base_url.startswith("http://127.0.0.1:")
        assert len(server.api_key) > 30 and server.api_key not in repr(server)
        question = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            assert (await stranger.post("/chat/completions", json=question, headers=headers)).status_code == 401
        headers = {"Authorization": f"Bearer {server.api_key}", "Origin": "http://page.example"}
        answer = await stranger.post("/chat/completions", json=question, headers=headers, timeout=60)
        assert answer.status_code == 200
        assert answer.json()["model"] == server.model
        assert answer.headers.get("access-control-allow-origin") not in ("*", "null", "http://page.example")
        host = server.base_url.removesuffix("/v1")
        keyed = {"Authorization": headers["Authorization"]}
        assert (await stranger.get(host + "/", headers=keyed)).status_code == 404
        assert (await stranger.get(host + "/slots", headers=keyed)).status_code >= 400


@pytest.mark.model
@needs_model
async def test_langchain_talks_to_it_through_connect() -> None:
    from assent.graph.models.chat import connect

    async with EmbeddedServer(settings=SMALL) as server:
        model = connect(server.base_url, server.api_key, server.model, 60)
        answer = await model.ainvoke("Say hello.", max_tokens=8)
        assert answer.text
        await model.root_async_client.close()


@pytest.mark.model
@needs_model
async def test_it_is_gone_after_the_block_and_after_an_error() -> None:
    pids = []
    with pytest.raises(RuntimeError, match="inside"):
        async with EmbeddedServer(settings=SMALL) as server:
            pids.append(server._process.pid)
            assert server.is_running
            raise RuntimeError("inside")
    assert not server.is_running
    assert wait_until_gone(pids[0], 1)


@pytest.mark.model
@needs_model
def test_a_killed_parent_leaves_no_server_behind() -> None:
    program = (
        "import asyncio\nfrom assent.graph.models.server import EmbeddedServer, ServerSettings\n"
        "async def main():\n async with EmbeddedServer(settings=ServerSettings(context=512)) as server:\n"
        "  print(server._process.pid, flush=True)\n  await asyncio.sleep(60)\nasyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(signal.SIGKILL)
    assert wait_until_gone(pid)


@pytest.mark.model
@needs_model
async def test_a_start_that_takes_too_long_is_explained_and_cleaned_up() -> None:
    server = EmbeddedServer(settings=ServerSettings(start_seconds=0.01))
    with pytest.raises(ModelUnavailable, match=r"0\.01 seconds"):
        await server.__aenter__()
    assert not server.is_running


@pytest.mark.model
async def test_a_broken_model_file_is_explained(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(2000))
    with pytest.raises(ModelUnavailable, match="could not be loaded") as failure:
        async with EmbeddedServer(broken):
            raise AssertionError("it started")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("content", [b"PK\x03\x04 a zip", None])
async def test_a_file_that_is_no_model_is_refused_before_anything_starts(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match="not a GGUF"):
        async with EmbeddedServer(path):
            raise AssertionError("it started")


async def test_a_model_that_was_never_pulled_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_CACHE", str(tmp_path))
    with pytest.raises(ModelMissing, match="assent model pull"):
        async with EmbeddedServer():
            raise AssertionError("it started")


def test_half_of_the_cores_compute() -> None:
    assert 1 <= default_threads() <= 4


@pytest.mark.model
@needs_model
async def test_the_event_loop_stays_free_while_the_model_loads() -> None:
    gaps: list[float] = []

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            gaps.append(time.perf_counter() - before)

    ticking = asyncio.create_task(tick())
    async with EmbeddedServer(settings=SMALL):
        ticking.cancel()
    assert len(gaps) > 10, "loading took the event loop away"
