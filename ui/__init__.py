"""The operator's desk in a browser and its HTTP surface; refuses to load gradio or fastapi before it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .settings import Requester, UiSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..graph.desk import Desk

__all__ = ["Requester", "UiSettings", "create_app", "mount"]


def create_app(desk: Desk, settings: UiSettings | None = None) -> FastAPI:
    """Return a web application that serves nothing but the desk, at `/`."""
    from .app import create_app as build

    return build(desk, settings)


def mount(app: FastAPI, desk: Desk, path: str = "/", settings: UiSettings | None = None) -> FastAPI:
    """Add the desk to `app` under `path`, behind its own guard, and return `app`; its other routes stay as they are."""
    from .app import mount as add

    return add(app, desk, path, settings)
