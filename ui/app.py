"""Builds the web application: guard outside, our routes before Gradio's; refuses to open Gradio's own doors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import warnings
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from .account import account_router
from .advice import Advising
from .advice_routes import advice_router
from .api import ERRORS, as_error, examples_router, records_router, reviews_router, tasks_router, threads_router
from .card_routes import cards_router
from .cards import Cards
from .control import Control
from .control_routes import control_router
from .conversations import Conversations
from .guard import Guard
from .insights import Insights
from .insights_routes import insights_router
from .records import Records
from .reviewers import Reviewers
from .reviewers_routes import reviewers_router
from .service import DeskService
from .sessions import gradio_user, sign_in_refusal, sign_in_router
from .settings import UiSettings

if TYPE_CHECKING:
    from starlette.types import Lifespan

    from ..graph.desk import Desk


def create_app(desk: Desk, settings: UiSettings | None = None) -> FastAPI:
    """Return a web application that serves nothing but the desk, at `/`."""
    return mount(FastAPI(openapi_url=None, docs_url=None, redoc_url=None), desk, "/", settings)


def mount(app: FastAPI, desk: Desk, path: str = "/", settings: UiSettings | None = None) -> FastAPI:
    """Add the desk to `app` under `path`, behind its own guard, and return `app`."""
    settings = settings or UiSettings()
    base = "/" + path.strip("/") if path.strip("/") else ""
    inner = _inner(desk, settings)
    app.router.lifespan_context = _both(app.router.lifespan_context, inner, desk if settings.run_worker else None)
    app.mount(base or "/", Guard(inner, desk.users, settings, desk.denied, sign_in_refusal))
    return app


def _inner(desk: Desk, settings: UiSettings) -> FastAPI:
    service, records, conversations = DeskService(desk, settings), Records(desk), Conversations(desk, settings)
    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for router in (
        sign_in_router(desk, settings),
        account_router(desk, settings),
        reviews_router(service),
        cards_router(Cards(desk)),
        control_router(Control(desk)),
        insights_router(Insights(desk)),
        advice_router(Advising(desk)),
        reviewers_router(Reviewers(desk)),
        records_router(records),
        tasks_router(records),
        examples_router(records),
        threads_router(conversations),
    ):
        inner.include_router(router)
    for kind in (*ERRORS, ValidationError):
        inner.add_exception_handler(kind, as_error)
    inner.add_exception_handler(RequestValidationError, _malformed)
    _mount_gradio(inner, desk, settings)
    return inner


def _mount_gradio(inner: FastAPI, desk: Desk, settings: UiSettings) -> None:
    os.environ.update(_QUIET)  # read by gradio when it is imported
    for name, value in _NO_HUB.items():
        os.environ.setdefault(name, value)  # the application around us may need the hub
    import gradio

    from .pages import build_pages
    from .theme import HEAD, desk_theme

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*SSR.*")
        gradio.mount_gradio_app(
            inner,
            build_pages(desk, settings),
            path="/",
            app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
            auth_dependency=gradio_user,
            show_error=False,
            run_history=False,
            footer_links=[],
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            pwa=False,
            theme=desk_theme(),
            head=HEAD,
        )


_QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_MCP_SERVER": "False",
    "GRADIO_SSR_MODE": "False",
}
_GRACE_SECONDS = 10.0
_NO_HUB = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}


def _both(outer: Lifespan[FastAPI], inner: FastAPI, working: Desk | None) -> Lifespan[FastAPI]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[object]:
        async with outer(app) as state, inner.router.lifespan_context(inner):
            worker = asyncio.create_task(working.worker.run()) if working is not None else None
            if worker is not None:
                worker.add_done_callback(_say_why_it_stopped)
            try:
                yield state
            finally:
                if working is not None and worker is not None:
                    await _ended(working, worker)

    return lifespan  # type: ignore[return-value]


def _say_why_it_stopped(worker: asyncio.Task[None]) -> None:
    """Tell the log when the worker ended by an error, such as a newer schema; the pages stay open, so that people can decide."""
    if not worker.cancelled() and (error := worker.exception()) is not None:
        logging.getLogger("assent").error("the worker of this process stopped: %s", error)


async def _ended(desk: Desk, worker: asyncio.Task[None]) -> None:
    """Let the worker finish what it works on, but not for ever."""
    desk.worker.stop()
    await asyncio.wait((worker,), timeout=_GRACE_SECONDS)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    first = problems[0] if problems else {"loc": (), "msg": "The request cannot be read."}
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    message = f"{where}: {first['msg']}" if where else str(first["msg"])
    return JSONResponse({"error": "invalid_request", "message": message}, status_code=422)
