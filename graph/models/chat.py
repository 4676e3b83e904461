"""Connects a chat model that speaks the OpenAI protocol; it starts no server and maps no errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI


def connect(base_url: str | None, api_key: str | None, model: str, timeout_seconds: float = 120.0) -> ChatOpenAI:
    """Return a LangChain chat model for an OpenAI-compatible endpoint.

    Args:
        base_url: the endpoint, ending in /v1; None uses OPENAI_BASE_URL, or OpenAI's own.
        api_key: None uses OPENAI_API_KEY.
        model: the model's name there.
        timeout_seconds: the longest wait for one answer.

    Nothing is sent yet. Errors of a call are those of the client library; `graph.proposing` turns them into words.
    """
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    key = None if api_key is None else SecretStr(api_key)
    return ChatOpenAI(model=model, base_url=base_url, api_key=key, timeout=timeout_seconds, max_retries=1)
