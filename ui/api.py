"""The HTTP routes of the desk: the card's own door and everybody's REST; refuses to take an identity from a request."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from ..graph.errors import AssentError
from .conversations import Conversations
from .passage import passage_of
from .records import Records
from .service import DecisionRequest, DeskService
from .sessions import actor_of, user_of
from .wire import error_body


class Message(BaseModel):
    """What a requester says in a thread."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=20_000)
    requester: str | None = Field(default=None, max_length=200)


class Settlement(BaseModel):
    """A person's word on an execution nobody knows the end of."""

    model_config = ConfigDict(extra="forbid")
    outcome: Literal["done", "not_done"]
    note: str = Field(default="", max_length=4_000)


class Retirement(BaseModel):
    """Why an example must teach no longer."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=400)


async def as_error(request: Request, error: Exception) -> JSONResponse:
    """Answer with the status and words of a foreseeable error."""
    status, body = error_body(error)
    passage_of(request.scope).why = str(body["message"])
    return JSONResponse(body, status_code=status)


def reviews_router(service: DeskService) -> APIRouter:
    """Return the routes that show reviews and take decisions."""
    router = APIRouter(prefix="/api")

    @router.get("/desk")
    async def opening(request: Request, holding: Annotated[list[str] | None, Query()] = None) -> Any:
        user = user_of(request)
        return {**await service.opening(user.name, holding or ()), "you": {"name": user.name, "role": user.role}}

    @router.get("/me")
    async def me(request: Request) -> Any:
        user = user_of(request)
        return {"name": user.name, "role": user.role}

    @router.get("/reviews")
    async def reviews(request: Request, search: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Any:
        return {"reviews": await service.reviews(actor_of(request), search, limit)}

    @router.get("/reviews/{review_id}")
    async def review(request: Request, review_id: str) -> Any:
        return await service.card(actor_of(request), review_id)

    @router.post("/reviews/{review_id}/decision")
    async def decide(request: Request, review_id: str, body: DecisionRequest) -> Any:
        return await service.decide(actor_of(request), review_id, body)

    @router.post("/reviews/{review_id}/withdraw")
    async def withdraw(request: Request, review_id: str) -> Any:
        return await service.withdraw(actor_of(request), review_id)

    return router


def records_router(records: Records) -> APIRouter:
    """Return the routes over what has been decided: the inbox, history and audit records."""
    router = APIRouter(prefix="/api")

    @router.get("/inbox")
    async def inbox(request: Request, search: str = "", tool: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 200) -> Any:
        return {"inbox": await records.inbox(actor_of(request), search, tool, limit)}

    @router.get("/history")
    async def history(
        request: Request, search: str = "", automatic: bool = False, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> Any:
        return {"history": await records.history(actor_of(request), search, limit, automatic=automatic)}

    @router.get("/history.jsonl")
    async def export(request: Request) -> StreamingResponse:
        headers = {"content-disposition": 'attachment; filename="assent-history.jsonl"'}
        return StreamingResponse(records.export(actor_of(request)), media_type="application/x-ndjson", headers=headers)

    @router.get("/trail/{subject:path}")
    async def trail(request: Request, subject: str) -> Any:
        return await records.trail(actor_of(request), subject)

    return router


def tasks_router(records: Records) -> APIRouter:
    """Return the routes over what only a person can settle."""
    router = APIRouter(prefix="/api")

    @router.get("/tasks")
    async def tasks(request: Request) -> Any:
        return {"tasks": await records.tasks(actor_of(request))}

    @router.post("/tasks/{action_id}")
    async def settle(request: Request, action_id: str, body: Settlement) -> Any:
        return await records.settle(actor_of(request), action_id, body.outcome, body.note)

    @router.post("/tasks/{notice_id}/resend")
    async def resend(request: Request, notice_id: str) -> Any:
        return await records.resend(actor_of(request), notice_id)

    @router.post("/cases/{thread:path}/retry")
    async def retry(request: Request, thread: str) -> Any:
        return await records.retry(actor_of(request), thread)

    @router.post("/cases/{thread:path}/cancel")
    async def cancel(request: Request, thread: str) -> Any:
        return await records.cancel(actor_of(request), thread)

    return router


def examples_router(records: Records) -> APIRouter:
    """Return the routes over what decisions teach."""
    router = APIRouter(prefix="/api")

    @router.get("/examples")
    async def examples(request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> Any:
        return {"examples": await records.examples(actor_of(request), limit)}

    @router.post("/examples/{example_id}/retire")
    async def retire(request: Request, example_id: str, body: Retirement) -> Any:
        return await records.retire(actor_of(request), example_id, body.reason)

    return router


def threads_router(conversations: Conversations) -> APIRouter:
    """Return the routes a chat application speaks through."""
    router = APIRouter(prefix="/api")

    @router.post("/threads/{thread}/messages")
    async def send(request: Request, thread: str, body: Message) -> Any:
        return await conversations.send(actor_of(request), thread, body.text, body.requester)

    @router.get("/threads/{thread}")
    async def thread(request: Request, thread: str) -> Any:
        return await conversations.read(actor_of(request), thread)

    return router


ERRORS: tuple[type[Exception], ...] = (AssentError,)
"""What the routes turn into a status and a sentence; everything else is a bug and stays a 500."""
