"""A tiny OpenAI-compatible server for tests: real HTTP on a free port, with answers that the test writes."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from langchain_openai import ChatOpenAI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Answer = str | dict[str, Any] | Response | Callable[[dict[str, Any]], Any]


@dataclass
class ScriptedServer:
    """What the server will say (the last answer repeats) and what it was asked."""

    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    delay_seconds: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def model(self, **settings: Any) -> ChatOpenAI:
        return ChatOpenAI(model="scripted", base_url=self.url, api_key="none", max_retries=0, **settings)

    def will_say(self, *answers: Answer) -> None:
        self.answers = list(answers)

    async def complete(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        await asyncio.sleep(self.delay_seconds)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer) and not isinstance(answer, Response):
            answer = answer(body)
        if isinstance(answer, Response):
            return answer
        message = {"content": answer} if isinstance(answer, str) else answer
        return JSONResponse(completion({"role": "assistant", "content": None, **message}))


def completion(message: dict[str, Any], finish_reason: str = "stop") -> dict[str, Any]:
    return {
        "id": "completion",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def action(name: str, **arguments: Any) -> str:
    return json.dumps({"name": name, "arguments": arguments})


def tool_calls(*calls: tuple[str, str]) -> dict[str, Any]:
    return {
        "tool_calls": [
            {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for index, (name, arguments) in enumerate(calls)
        ]
    }


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    scripted.port = listener.getsockname()[1]
    app = Starlette(routes=[Route("/v1/chat/completions", scripted.complete, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield scripted
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
        listener.close()
