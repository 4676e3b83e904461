"""What simulated years come to: a table, and one plain sentence per finding; every number is counted, none is assumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import Any

from ...graph.autonomy.levels import WORDS, Level
from ..tables import Table
from .reactions import Reaction, reactions
from .settings import Scenario
from .tallies import Tally, Year


@dataclass(frozen=True, slots=True)
class Report:
    """One scenario, played under some seeds."""

    scenario: Scenario
    years: Sequence[Year]
    recorded: Sequence[int] = ()
    """How many recorded rows each class was drawn from; empty when actions were made up."""

    def cost(self, year: Year) -> float:
        """Return what the wrong that ran and people's time cost, per 1,000 proposed actions."""
        total, costs = year.total, self.scenario.costs
        return 1000 * (total.ran_wrong * costs.wrong + total.minutes * costs.minute) / max(1, total.proposed)

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain JSON: the scenario, each year with its weeks, events and certificates, and the findings."""
        return {
            "version": 1,
            "scenario": asdict(self.scenario),
            "findings": findings(self),
            "years": [self._year(year) for year in self.years],
        }

    def _year(self, year: Year) -> dict[str, Any]:
        return {
            "seed": year.seed,
            "total": asdict(year.total),
            "cost_per_1000": self.cost(year),
            "weeks": {
                what.tool: [asdict(week) for week in weeks] for what, weeks in zip(self.scenario.classes, year.weeks, strict=True)
            },
            "events": [asdict(event) for event in year.events],
            "certificates": [{**asdict(signed), "kept": signed.kept} for signed in year.signed],
            "reactions": [asdict(one) for one in reactions(self.scenario, year)],
            "known_answers": {name: {"answered": n, "found": k} for name, (n, k) in year.reviewers.items()},
            "suspects": year.suspects,
        }


Row = Callable[[Report, Year, Tally], float | None]


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _passing(year: Year) -> int:
    return sum(any(day.passed for day in days) for days in zip(*year.days, strict=True))


_ROWS: Sequence[tuple[str, str, Row]] = (
    ("actions proposed", "{:,.0f}", lambda report, year, total: total.proposed),
    ("passed without a person", "{:.1%}", lambda report, year, total: _share(total.passed, total.proposed)),
    ("days on which something passed", "{:.0f}", lambda report, year, total: _passing(year)),
    ("wrong among what passed", "{:.2%}", lambda report, year, total: _share(total.passed_wrong, total.passed)),
    ("promised at most (alpha)", "{:.2%}", lambda report, year, total: _share(total.promised, total.passed)),
    ("wrong that ran because they passed", "{:,.0f}", lambda report, year, total: total.passed_wrong),
    ("wrong that ran because a review approved", "{:,.0f}", lambda report, year, total: total.missed),
    ("wrong that a review stopped", "{:,.0f}", lambda report, year, total: total.caught),
    ("right that a review turned down", "{:,.0f}", lambda report, year, total: total.spoilt),
    ("reviews answered", "{:,.0f}", lambda report, year, total: total.reviews),
    (
        "mean days until a review's answer",
        "{:.1f}",
        lambda report, year, total: total.waited / total.reviews if total.reviews else None,
    ),
    ("audits answered", "{:,.0f}", lambda report, year, total: total.audits),
    ("other probes answered", "{:,.0f}", lambda report, year, total: total.probes),
    ("people's hours a week", "{:.1f}", lambda report, year, total: total.minutes / 60 / max(1 / 7, len(year.days[0]) / 7)),
    ("waiting at the end", "{:,.0f}", lambda report, year, total: total.waiting),
    ("certificates signed", "{:.1f}", lambda report, year, total: len(year.signed)),
    ("alarms, true", "{:.1f}", lambda report, year, total: sum(event.true is True for event in year.events)),
    ("alarms, false", "{:.1f}", lambda report, year, total: sum(event.true is False for event in year.events)),
    ("cost per 1,000 actions", "{:,.0f}", lambda report, year, total: report.cost(year)),
)


def simulation_table(reports: Sequence[Report]) -> Table:
    """Return one column per scenario: the mean over its years, and from the least to the greatest where they differ."""
    rows: list[tuple[str, ...]] = [(label, *(_cell(report, form, row) for report in reports)) for label, form, row in _ROWS]
    for place, what in enumerate(reports[0].scenario.classes):
        rows.append((f"days at each level: {what.tool}", *(_levels(report, place) for report in reports)))
    years = max(len(report.years) for report in reports)
    title = f"{years} simulated {'year' if years == 1 else 'years'} of {reports[0].scenario.days} days, mean (least to greatest)"
    return Table(title, ("", *(report.scenario.name for report in reports)), tuple(rows))


def _cell(report: Report, form: str, row: Row) -> str:
    values = [value for year in report.years if (value := row(report, year, year.total)) is not None]
    if not values:
        return "-"
    middle, least, most = (form.format(value) for value in (mean(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least.removesuffix('%')} to {most.removesuffix('%')})"


def _levels(report: Report, place: int) -> str:
    if place >= len(report.scenario.classes):
        return "-"
    weeks = [week.level for year in report.years for week in year.weeks[place]]
    counts = {level: report.scenario.days * weeks.count(level) / len(weeks) for level in map(int, Level)}
    return ", ".join(f"{WORDS[Level(level)]} {days:.0f}" for level, days in counts.items() if days)


def findings(report: Report) -> list[str]:
    """Return what the years show, a sentence each."""
    return [*_drawn(report), *_autonomy(report), *_promise(report), *_changes(report), *_alarms(report), *_people(report)]


def _drawn(report: Report) -> Iterator[str]:
    for what, count in zip(report.scenario.classes, report.recorded, strict=False):
        times = what.per_day * report.scenario.days / count
        yield (
            f"{what.tool}: everything is drawn from {count:,} recorded rows, each about {times:,.0f} times. What is fitted on some "
            "of them is certified on the same ones drawn again, which flatters it, and the more the fewer there are."
        )


def _autonomy(report: Report) -> Iterator[str]:
    count, totals = len(report.years), [year.total for year in report.years]
    firsts = [min((signed.day for signed in year.signed), default=None) for year in report.years]
    began = [first for first in firsts if first is not None]
    if not began:
        yield f"In none of {_years(count)} was a certificate earned: every action was reviewed."
        return
    share = sum(total.passed for total in totals) / max(1, sum(total.proposed for total in totals))
    yield (
        f"The first certificate was signed in {len(began)} of {_years(count)}, on day {median(began):.0f} (median); over the whole "
        f"time {share:.0%} of the actions passed without a person."
    )


def _promise(report: Report) -> Iterator[str]:
    totals = [year.total for year in report.years if year.total.passed]
    if not totals:
        return
    kept = sum(total.passed_wrong <= total.promised for total in totals)
    promised = sum(total.promised for total in totals) / sum(total.passed for total in totals)
    yield (
        f"In {kept} of {_years(len(totals))} the share of wrong ones among what passed stayed within what was promised "
        f"({promised:.1%} on average)."
    )
    judged = [signed.kept for year in report.years for signed in year.signed if signed.kept is not None]
    if judged:
        broken, delta = judged.count(False), report.scenario.chosen.delta
        yield (
            f"Of {len(judged)} certificates under which something passed before the stream changed, {broken} "
            f"({broken / len(judged):.0%}) let more wrong ones through than promised; {delta:.0%} may."
        )


def _changes(report: Report) -> Iterator[str]:
    found: dict[tuple[int, int, str], list[Reaction]] = {}
    for year in report.years:
        for one in reactions(report.scenario, year):
            found.setdefault((one.place, one.day, one.kind), []).append(one)
    for (place, day, kind), seen in found.items():
        name = report.scenario.classes[place].tool
        yield _swap(name, day, seen) if kind == "key" else _worse(name, day, seen)


def _swap(name: str, day: int, seen: Sequence[Reaction]) -> str:
    running = [one for one in seen if one.passed_before]
    voided = [one for one in running if one.noticed == day]
    again = [one.passing_again - day for one in voided if one.passing_again is not None]
    back = f"after {median(again):.0f} days (median) something passed again" if again else "nothing passed again"
    return (
        f"The change of {name}'s key on day {day} made its certificate void with the first action in {len(voided)} of "
        f"{_years(len(running))} in which it had one in force; in {len(again)} of them {back}."
    )


def _worse(name: str, day: int, seen: Sequence[Reaction]) -> str:
    running = [one for one in seen if one.passed_before]
    if not running:
        return f"When {name} got worse on day {day} nothing of it passed, so there was nothing to notice."
    noticed = [one for one in running if one.noticed is not None]
    harmless = [one for one in running if one.noticed is None and one.harmful_from is None]
    told = f"The change for the worse of {name} on day {day} was noticed in {len(noticed)} of {_years(len(running))}"
    if noticed:
        audits, days, wrong = (
            median(values)
            for values in ([o.audits for o in noticed], [(o.noticed or 0) - day for o in noticed], [o.wrong for o in noticed])
        )
        told += f", after a median of {audits:.0f} audits, {days:.0f} days, during which {wrong:.0f} wrong actions ran"
    if harmless:
        told += f"; in {len(harmless)} the risk of what passed never rose above what was promised"
    return told + "."


def _alarms(report: Report) -> Iterator[str]:
    false = [event for year in report.years for event in year.events if event.true is False]
    audits = sum(year.total.audits for year in report.years)
    if audits:
        yield f"The monitor rang {len(false)} times although the risk was within what was promised, in {audits:,} audits."


def _people(report: Report) -> Iterator[str]:
    years, bad = report.years, [person.name for person in report.scenario.people if person.habit not in ("honest", "silent")]
    for name in bad:
        found = [year.suspects[name] for year in years if name in year.suspects]
        when = f", on day {median(found):.0f} (median)" if found else ""
        yield f"Known-answer items showed in {len(found)} of {_years(len(years))} that {name} lets too much through{when}."
    honest = sorted({name for year in years for name in year.suspects} - set(bad))
    if honest:
        yield f"They also spoke against {', '.join(honest)}, who answered honestly."
    taken = sum(any(event.what == "demoted" and "by reviewers" in event.told for event in year.events) for year in years)
    if taken:
        yield f"Classes were taken down in {taken} of {_years(len(years))} because reviewers had not been shown to be reliable."
    unseen = [year for year in years if year.signed and not all(name in year.suspects for name in bad)]
    if bad and unseen:
        yield (
            "Where they did not show it, the certificates say no more than that these reviewers agreed with the agent: what "
            "reviewers do not find wrong counts as right."
        )
    blind = [_unwatched_days(year) for year in years]
    if any(blind):
        yield f"Nothing passed for {mean(blind):.0f} days (mean) because audits had been left unanswered."
    waiting = median(year.total.waiting for year in report.years)
    if waiting > 50:
        yield f"People could not keep up: {waiting:,.0f} cards (median) waited at the end."


def _unwatched_days(year: Year) -> int:
    """Return the days on which nothing of some class passed because nobody watched it, by what was noted."""
    found, since = 0, dict[int, int]()
    for event in year.events:
        if event.what == "unwatched":
            since[event.place] = event.day
        elif event.place in since and event.what in ("watched", "demoted"):
            found += event.day - since.pop(event.place)
    return found + sum(len(year.days[place]) - 1 - day for place, day in since.items())


def _years(count: int) -> str:
    return f"{count} simulated {'year' if count == 1 else 'years'}"
