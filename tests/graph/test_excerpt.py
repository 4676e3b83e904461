"""The end of a conversation, as cards and examples show it."""

from __future__ import annotations

from assent.graph.excerpt import CHARACTERS, excerpt
from langchain_core.messages import HumanMessage

SECRET = "sk-very-secret-123456"


def test_a_secret_that_lies_across_the_cut_is_not_shown_by_half():
    for before in range(CHARACTERS // 2 - len(SECRET), CHARACTERS // 2 + 1):
        (turn,) = excerpt([HumanMessage("x" * before + SECRET + "y" * 2 * CHARACTERS)], [SECRET])
        assert not any(SECRET[:length] in turn["text"] for length in range(3, len(SECRET)))
