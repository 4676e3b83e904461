"""What suite files can name, and how an installation fills it in: sources of cases, tasks and scorers; it runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...graph.store.session import Store
from .cases import Task
from .scorers import BUILT_IN, Scorer
from .sources import Source, decisions, shop_messages

if TYPE_CHECKING:
    from ...graph.precedents import Embedder
    from ...graph.precedents import Example as Remembered
    from .demo import Build
    from .tasks import Setting


@dataclass(frozen=True, slots=True)
class Parts:
    """Sources, tasks and scorers by the names that suite files know them by; what cannot be done here is not in it."""

    data: Mapping[str, Source] = field(default_factory=lambda: {"demo": shop_messages()})
    tasks: Mapping[str, Task] = field(default_factory=dict)
    scorers: Mapping[str, Scorer] = field(default_factory=lambda: dict(BUILT_IN))


def parts_for(
    *,
    store: Store | None = None,
    tenant: str = "main",
    setting: Setting | None = None,
    embedder: Embedder | None = None,
    playbook: Sequence[Remembered] = (),
    build: Build | None = None,
) -> Parts:
    """Return the parts that an installation has.

    Args:
        store: where decisions are read: the source `decisions`.
        tenant: whose decisions.
        setting: what proposes and rules, such as an agent's gate: the task `replay`.
        embedder: with it (and store and setting) a replay sees precedents, less the case itself.
        playbook: demonstrations that the agent is shown beside its precedents.
        build: makes the demo's agent on a desk and a shop: the task `fresh_desk`.
    """
    from .demo import fresh_desk
    from .tasks import leave_one_out, replay

    data: dict[str, Source] = {"demo": shop_messages(), "demo_train": shop_messages("train")}
    tasks: dict[str, Task] = {}
    if store is not None:
        data["decisions"] = decisions(store, tenant, agent=setting.agent if setting else None)
    if setting is not None:
        recall = None
        if store is not None and embedder is not None:
            recall = leave_one_out(store, tenant, setting.agent, embedder, playbook=playbook)
        tasks["replay"] = replay(setting, recall)
    if build is not None:
        tasks["fresh_desk"] = fresh_desk(build)
    return Parts(data, tasks)
