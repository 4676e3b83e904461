"""What a run's configuration says: which thread, and on whose behalf."""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig

from .errors import AssentError

ANONYMOUS = "anonymous"


def thread_of(config: RunnableConfig) -> str:
    """Return the thread of a run; raises AssentError if there is none, because what waits must be found again."""
    thread = config.get("configurable", {}).get("thread_id")
    if not thread:
        raise AssentError("Give the run a thread: config={'configurable': {'thread_id': ...}}; what waits is found by it.")
    return str(thread)


def requester_of(config: RunnableConfig) -> str:
    """Return on whose behalf the run acts."""
    return str(config.get("configurable", {}).get("requester") or ANONYMOUS)
