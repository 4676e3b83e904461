"""`assent advise`: which oversight mode each type of actions should have, what each mode costs, and what evidence is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...evals.advising.action_types import ActionType
from ...evals.advising.advice import Advice, advise, advise_all
from ...evals.advising.advice_files import AdviceFileError, costs_from, rows_from, types_from
from ...evals.advising.oversight_costs import Costs, Expected
from ...graph.opening import open_desk
from .database import Database, url_of
from .inbox import Home, Json, Who
from .place import OPERATOR
from .say import Failed, print_json, show, wait_for
from .shown import visible_text

NOTHING = "Nothing measured yet: everything that changes something stays in the loop. This is what is missing:"
HEADINGS = ("per 1,000 actions", "wrong that stay", "errors cost", "review min", "waiting h", "all in all", "at worst")
CostsFile = Annotated[
    Path | None, typer.Option("--costs", help="A YAML file of what things cost; default: those kept at the desk.")
]
TypesFile = Annotated[Path | None, typer.Option("--types", help="A YAML file of action types, in place of a desk.")]
RowsFile = Annotated[
    Path | None, typer.Option("--rows", help="JSON Lines of labelled actions (tool, correct), in place of a desk.")
]


def advise_types(
    costs: CostsFile = None,
    types: TypesFile = None,
    rows: RowsFile = None,
    label: Annotated[str, typer.Option(help="The field of --rows that says whether an action was right.")] = "correct",
    group: Annotated[
        str, typer.Option(help="The field of --rows with an action's conversation; one row of each counts.")
    ] = "group",
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
) -> None:
    """Advise in the loop, on the loop or automatic for each type of actions, by the worst case that the evidence leaves open.

    The numbers come from a desk's own decisions, or from files: --types for what you know, --rows to count labels.
    """
    try:
        prices = costs_from(costs) if costs else None
        stated = types_from(types) if types else None
        given = rows_from(rows, stated or (), label=label, group=group) if rows else stated
    except AdviceFileError as error:
        raise Failed(str(error), 2) from None
    if given is None:
        given, kept = wait_for(_of_desk(url_of(home, database), who))
        prices = prices or kept
    prices = prices or Costs()
    found = advise_all(given, prices)
    if as_json:
        print_json({"costs": prices.as_json(), "advice": [one.as_json() for one in found]})
        return
    if not any(one.kind.labelled or one.kind.certificate for one in found):
        show(NOTHING)
        show()
    for one in found or _in_general(prices):
        _print(one)
    _print_costs(prices)


async def _of_desk(url: str, who: str) -> tuple[list[ActionType], Costs | None]:
    from ...evals.advising.advice_rows import desk_types
    from ...evals.advising.kept_costs import kept

    async with open_desk(url) as desk:
        return await desk_types(desk.store, desk.clock, who), await kept(desk.store, who)


def _in_general(prices: Costs) -> list[Advice]:
    """Return what is missing for any tool, where none was ever proposed."""
    return [
        advise(ActionType("any reversible tool", "reversible"), prices),
        advise(ActionType("any costly tool", "costly"), prices),
        advise(ActionType("any irreversible tool", "irreversible"), prices),
    ]


def _print(one: Advice) -> None:
    kind = one.kind
    name = visible_text(f"{kind.tool} of {kind.agent}" if kind.agent else kind.tool)
    volume = f", {kind.volume:,.0f} a month" if kind.volume else ""
    show(f"{name} ({kind.consequence}{volume}): {one.mode}")
    show(f"  because {one.reason}")
    show(f"  {_evidence(kind)}")
    lines = [HEADINGS, *((mode.mode, *_numbers(mode)) for mode in one.expected)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    for line in lines:
        first, *rest = (
            word.ljust(width) if not index else word.rjust(width)
            for index, (word, width) in enumerate(zip(line, widths, strict=True))
        )
        show(f" {'>' if line[0] == one.mode else ' '} {'  '.join((first, *rest))}")
    for missing in one.missing:
        show(f"  missing {f'for {missing.mode}' if missing.mode else 'for better numbers'}: {missing.text}")
    show()


def _evidence(kind: ActionType) -> str:
    (low, high), (worst, best) = kind.wrong_share, kind.catch
    words = [f"{kind.wrong} of {kind.labelled} labelled actions were wrong: {low:.1%} to {high:.1%}"]
    if kind.certificate:
        words.append(f"certified: {kind.certificate.coverage:.0%} pass with at most {kind.certificate.bound:.1%} wrong")
    if kind.known:
        words.append(f"reviewers caught {kind.caught} of {kind.known} known-answer items: {worst:.0%} to {best:.0%}")
    if kind.left_out:
        words.append(f"{kind.left_out} older decisions were made under another model, prompt, policy or schema and do not count")
    return "; ".join(words) if kind.labelled or kind.certificate or kind.left_out else "nothing is measured"


def _numbers(mode: Expected) -> tuple[str, ...]:
    low, high = mode.low, mode.high
    return (
        _range(low.errors, high.errors, 1),
        _range(low.error_money, high.error_money),
        f"{low.review_minutes:,.0f}",
        f"{low.waiting_hours:,.0f}",
        _range(low.money, high.money),
        f"{mode.beyond:+,.0f}" if mode.mode != "in the loop" else "",
    )


def _range(low: float, high: float, digits: int = 0) -> str:
    first, last = f"{low:,.{digits}f}", f"{high:,.{digits}f}"
    return first if first == last else f"{first} to {last}"


def _print_costs(prices: Costs) -> None:
    wrong = ", ".join(f"{name} {value:g}" for name, value in prices.wrong.items())
    show(
        "At worst: what a mode costs beyond asking a person, errors at their upper bound and reviewers at their best. This decides."
    )
    show(f"Costs, yours to change with --costs: a wrong action that stays: {wrong};")
    show(f"  an hour of review {prices.reviewer_hour:g}, of waiting {prices.waiting_hour:g}. Of an error's cost an edit saves all,")
    show(f"  a rejection or veto {prices.reject_saves:.0%}, an undo {prices.undo_saves:.0%}.")
    show(f"  On the loop a person sees {prices.watched:.0%} of what runs in time.")
