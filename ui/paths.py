"""Which paths are open to everybody, which are Gradio's own and stay shut, and what a path is below the mount."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

SAFE_METHODS = frozenset({"GET", "HEAD"})
OPEN_PATHS = frozenset({"/sign-in", "/sign-in/link", "/sign-in/reset", "/sign-in.css"})
GRADIO_DOORS = re.compile(r"/gradio_api/(run/predict|startup-events|heartbeat/[^/]+|app_id|theme\.css)")
"""What Gradio's own pages ask for; no handler of ours is queued, so the queue's doors stay shut."""
NEVER = re.compile(r"/(gradio_api|monitoring|login|logout|svelte|proxy)(/.*)?")
SPEAKING = re.compile(r"/playground/?|/gradio_api/run/predict|/api/threads/.*")
"""Doors through which somebody speaks as a requester; the only handlers behind Gradio's are the playground's."""
LASTING = re.compile(r"/(assets|static)/.*")
"""Answers a browser may keep; they never carry a session."""


def local_path(scope: Scope) -> str:
    """Return the path below the mount, exactly as the router will see it."""
    path, root = str(scope["path"]), base_of(scope)
    return path.removeprefix(root) or "/" if root and (path == root or path.startswith(root + "/")) else path


def base_of(scope: Scope) -> str:
    """Return the path the desk is mounted under, empty for `/`."""
    return str(scope.get("root_path", "")).rstrip("/")
