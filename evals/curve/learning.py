"""`assent eval run learning`: how much a gate that learns takes over from people, and how much of that is wrong.

Two ways are played on the same messages: the embedded model with precedents, and the retriever alone as the baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...graph.models.embeddings import local_embedder
from ...graph.models.options import option_scorer
from ...graph.models.server import EmbeddedServer
from ...graph.precedents import Embedder, Vector
from ...graph.proposing.weighing import OptionScorer
from ...tools.shop import data as shop_data
from ..examples import Call
from .labelled import Labelled, draw, kind, read_playbook, read_rows
from .stream import Decider, Outcome, StreamSettings, model_and_precedents, play, retriever_alone

Way = Literal["model and precedents", "retriever alone"]
Progress = Callable[[str, int, int], None]
"""Called with what is being played, the messages played and the messages in all."""
WINDOW = 50
SHOP = "the demo shop's messages"


@dataclass(frozen=True, slots=True)
class Tally:
    """What some messages came to; shares are None when there is nothing to take a share of."""

    messages: int
    automated: int
    wrong: int
    """Automated, but not the action a person would have decided on."""
    proposals_right: int

    @property
    def needing_a_person(self) -> float | None:
        """Share of messages that a person had to decide."""
        return 1 - self.automated / self.messages if self.messages else None

    @property
    def accuracy(self) -> float | None:
        """Share of the automated that was right."""
        return 1 - self.wrong / self.automated if self.automated else None


@dataclass(frozen=True, slots=True)
class Run:
    """One stream played one way."""

    way: Way
    seed: int
    kinds: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    seconds: float

    def windows(self, size: int = WINDOW) -> list[Tally]:
        """Return one tally per so many messages; the last may hold fewer."""
        starts = range(0, len(self.outcomes), size)
        return [tally(self.outcomes[start : start + size]) for start in starts]


@dataclass(frozen=True, slots=True)
class LearningReport:
    """Every run, message by message, with what is needed to repeat it."""

    data: str
    embedder: str
    """`sentence` or `lexical`."""
    model: str | None
    settings: StreamSettings
    runs: tuple[Run, ...] = ()
    version: int = field(default=1)

    def total(self, way: Way) -> Tally:
        """Return the tally of all runs of a way."""
        return tally([outcome for run in self.runs if run.way == way for outcome in run.outcomes])

    def windows(self, way: Way, size: int = WINDOW) -> list[Tally]:
        """Return one tally per window over all runs of a way: how learning goes on, seeds together."""
        runs = [run for run in self.runs if run.way == way]
        longest = max((len(run.outcomes) for run in runs), default=0)
        return [
            tally([outcome for run in runs for outcome in run.outcomes[start : start + size]]) for start in range(0, longest, size)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON, totals and windows included for readers."""
        ways = list(dict.fromkeys(run.way for run in self.runs))
        totals = {way: tally_json(self.total(way)) for way in ways}
        windows = {way: [tally_json(window) for window in self.windows(way)] for way in ways}
        return {**asdict(self), "totals": totals, "windows": windows}


def tally(outcomes: Sequence[Outcome]) -> Tally:
    """Count outcomes."""
    automated = [outcome for outcome in outcomes if outcome.automated]
    wrong = sum(not outcome.right for outcome in automated)
    return Tally(len(outcomes), len(automated), wrong, sum(outcome.right for outcome in outcomes))


def tally_json(counted: Tally) -> dict[str, Any]:
    """Return a tally with its shares."""
    return {**asdict(counted), "needing_a_person": counted.needing_a_person, "accuracy": counted.accuracy}


def parse_report(value: dict[str, Any]) -> LearningReport:
    """Return a report from its JSON; raises ValueError for another version."""
    if value.get("version") != 1:
        raise ValueError(f"this is no learning report of version 1 but of {value.get('version')!r}")
    runs = [
        Run(run["way"], run["seed"], tuple(run["kinds"]), tuple(Outcome(**one) for one in run["outcomes"]), run["seconds"])
        for run in value["runs"]
    ]
    settings = StreamSettings(**value["settings"])
    return LearningReport(value["data"], value["embedder"], value["model"], settings, tuple(runs))


def merged_report(reports: Sequence[LearningReport]) -> LearningReport:
    """Return reports of the same measurement on several seeds as one; raises ValueError when they differ otherwise."""
    first = reports[0]
    same = {(one.data, one.embedder, one.settings) for one in reports}
    models = {one.model for one in reports if one.model}
    seeds = [(run.way, run.seed) for one in reports for run in one.runs]
    if len(same) > 1 or len(models) > 1 or len(set(seeds)) < len(seeds):
        raise ValueError("the reports measure different things, or a seed twice")
    runs = tuple(run for one in reports for run in one.runs)
    return LearningReport(first.data, first.embedder, next(iter(models), None), first.settings, runs)


async def run_learning(
    data: Path | None = None,
    *,
    categories: int | None = 8,
    seeds: Sequence[int] = (0,),
    messages: int | None = 334,
    settings: StreamSettings | None = None,
    with_model: bool = True,
    gguf: Path | None = None,
    progress: Progress | None = None,
) -> LearningReport:
    """Play labelled messages both ways and return the report.

    Args:
        data: rows with `text` and `category`, or `text` and `action`: a JSONL file, or a folder's messages*.jsonl, whose
            playbook.jsonl is then known from the start; None takes the demo shop's own messages.
        categories: how many kinds of action are drawn per seed; None takes all.
        seeds: one stream per seed, each of which starts knowing nothing.
        messages: the most per stream; None takes all.
        settings: when to automate; fixed before the reported seeds were played.
        with_model: False plays the retriever alone and starts no server.
        gguf: another model than the pinned one.
        progress: told about every message.

    Raises:
        UnreadableRows: the data cannot be used.
        ModelMissing, ModelUnavailable: the embedded model cannot be used.
    """
    name, folder = (data.name, data) if data is not None else (SHOP, Path(shop_data.__file__).parent)
    rows, playbook = read_rows(folder), read_playbook(folder)
    streams = {seed: draw(rows, categories, messages, seed) for seed in seeds}
    embedder, chosen = local_embedder(), settings or StreamSettings()
    remembered = Remembering(embedder)
    async with AsyncExitStack() as opened:
        deciders: dict[Way, Decider] = {"retriever alone": retriever_alone()}
        model: str | None = None
        if with_model:
            server = await opened.enter_async_context(EmbeddedServer(gguf))
            score: OptionScorer = option_scorer(server.base_url, server.api_key)
            deciders, model = {"model and precedents": model_and_precedents(score), **deciders}, server.model
        runs = await play_all(streams, deciders, remembered, chosen, progress, playbook)
    return LearningReport(name, embedder.kind, model, chosen, runs)


async def play_all(
    streams: dict[int, list[Labelled]],
    deciders: dict[Way, Decider],
    embedder: Embedder,
    settings: StreamSettings,
    progress: Progress | None = None,
    playbook: Sequence[Labelled] = (),
) -> tuple[Run, ...]:
    """Play every stream every way; each run starts with the names of the actions and the playbook only."""
    from time import monotonic

    runs: list[Run] = []
    for seed, stream in streams.items():
        kinds = _kinds(stream)
        for way, decide in deciders.items():
            started = monotonic()

            def tell(done: int, what: str = f"seed {seed}, {way}", total: int = len(stream)) -> None:
                if progress is not None:
                    progress(what, done, total)

            outcomes = await play(stream, kinds, embedder, decide, settings, tell, playbook)
            names = tuple(kind(call) for call in kinds)
            runs.append(Run(way, seed, names, tuple(outcomes), round(monotonic() - started, 1)))
    return tuple(runs)


def _kinds(stream: Sequence[Labelled]) -> list[Call]:
    """Return the kinds of action of a stream, each once, in a fixed order."""
    return [call for _, call in sorted({kind(row.right): row.right for row in stream}.items())]


class Remembering:
    """Embeds each text once: later plays meet the same messages again."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vector] = {}

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return the vectors of the texts, in order."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known.update(zip(missing, await self._embedder.embed(missing), strict=True))
        return [self._known[text] for text in texts]
