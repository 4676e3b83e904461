"""The repository's own rows: the demo shop's labelled messages, played by retrievers that each remember a part of the others.

`python -m assent.evals.protocol.shop` writes data/shop.jsonl again. For each message an agent, the retriever of
`assent eval run learning`, proposes a kind of action from the playbook and a random part of the other messages; five more with
other parts are the resamples. A row is the message (`group`), the proposed tool, `features`, and whether the proposal is the
labelled action (`correct`). No message is ever among what its own proposals remember.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage

from ...graph.models.embeddings import local_embedder
from ...graph.precedents import Embedder, Example, PrecedentIndex
from ...graph.proposing import Step
from ...tools.shop import data as shop_data
from ..curve.labelled import Labelled, kind, offers_for, read_playbook, read_rows
from ..curve.learning import Remembering
from ..curve.stream import INSTRUCTIONS, Measured, retriever_alone
from .lines import read_lines
from .scored import Scorable

FILE = "shop.jsonl"
HERE = Path(__file__).parent / "data"
FOLDS, RESAMPLES, REMEMBERED, NEAREST = 8, 5, 0.7, 4


def read_shop(folder: Path = HERE) -> list[Scorable]:
    """Return the rows as the protocol scores them: one class of actions per tool would be too few, so all are one."""
    rows = read_lines(folder / FILE, ("group", "tool", "features", "correct"))
    return [
        Scorable("shop", str(row["group"]), bool(row["correct"]), {**row["features"], f"tool:{row['tool']}": 1.0}) for row in rows
    ]


async def make_shop(seed: int = 0) -> list[dict[str, Any]]:
    """Return a row per message, the same for the same seed and embedder."""
    folder = Path(shop_data.__file__).parent
    messages, playbook = read_rows(folder), read_playbook(folder)
    embedder = Remembering(local_embedder())
    order = list(range(len(messages)))
    random.Random(seed).shuffle(order)  # noqa: S311  repeatable, not secret
    found: dict[int, dict[str, Any]] = {}
    for fold in range(FOLDS):
        asked = order[fold::FOLDS]
        known = [messages[place] for place in order if place not in set(asked)]
        sets = [_part(known, seed, fold, take) for take in range(1 + RESAMPLES)]
        agents = [await _remember([*playbook, *some], len(playbook), embedder) for some in sets]
        for place in asked:
            said = [await _propose(index, messages, messages[place].text) for index in agents]
            found[place] = _row(place, messages[place], said)
    return [found[place] for place in sorted(found)]


def _part(known: Sequence[Labelled], seed: int, fold: int, take: int) -> list[Labelled]:
    return random.Random(f"{seed} {fold} {take}").sample(list(known), round(REMEMBERED * len(known)))  # noqa: S311


async def _remember(known: Sequence[Labelled], demonstrations: int, embedder: Embedder) -> PrecedentIndex:
    index = PrecedentIndex(embedder)
    await index.add(
        [
            Example(
                f"{'demonstration' if place < demonstrations else 'decision'} {place}", one.text, one.right.tool, one.right.args
            )
            for place, one in enumerate(known)
        ]
    )
    return index


async def _propose(index: PrecedentIndex, messages: Sequence[Labelled], text: str) -> Measured:
    near = tuple(await index.nearest(text, NEAREST))
    offers = offers_for([one.right for one in messages])
    return await retriever_alone()(Step(INSTRUCTIONS, (HumanMessage(text),), offers, near, may_finish=False), None)


def _row(place: int, message: Labelled, said: Sequence[Measured]) -> dict[str, Any]:
    first, *others = said
    agreed = sum(kind(one.proposal) == kind(first.proposal) for one in others) / len(others)
    return {
        "group": f"message {place + 1}",
        "tool": first.proposal.tool,
        "features": {"agreement": round(agreed, 3), "precedent": round(first.readings[0].value or 0.0, 4)},
        "correct": first.proposal == message.right,
    }


def main() -> None:
    """Write the rows again."""
    rows = asyncio.run(make_shop())
    (HERE / FILE).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    print(f"{len(rows)} rows, {sum(row['correct'] for row in rows)} right, in {HERE / FILE}")  # noqa: T201


if __name__ == "__main__":
    main()
