"""`assent certify` and `assent monitor`: what a class of actions has earned and whether it keeps it, on rows from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ...evals.certify.certification import Applied, Certification, apply_to, certify_rows
from ...evals.certify.rows import Rows, RowsError, read_rows, usual_features
from ...evals.tables import percent
from ...evals.watch.monitor import ALARM
from ...evals.watch.monitoring import Watched, watch_rows
from .certifying_desk import certify_class
from .database import Database, url_of
from .inbox import Home, Json, Who
from .place import OPERATOR
from .say import Failed, out, print_json, show

Alpha = Annotated[float, typer.Option(help="The promised greatest share of wrong ones among what passes.")]
Label = Annotated[str, typer.Option(help="The field that says whether the action was right (true, false), or FIELD=TEXT.")]


LEAST_SHARE = 1e-6
"""No desk has the millions of audits that a smaller promise takes."""


def certify(
    rows: Annotated[Path | None, typer.Option(help="JSON lines of decided actions to certify on.")] = None,
    label: Label = "correct",
    group: Annotated[str | None, typer.Option(help="The field that says what belongs together, such as a conversation.")] = None,
    fit: Annotated[Path | None, typer.Option(help="Other rows to fit on; default: a part of --rows, by group.")] = None,
    features: Annotated[
        str | None,
        typer.Option(help="Fields to use, with commas; an object's name means all in it, mean(NAME) their mean."),
    ] = None,
    score: Annotated[str | None, typer.Option(help="A field to take as the score; nothing is fitted.")] = None,
    apply: Annotated[Path | None, typer.Option(help="Rows to say of whether they pass.")] = None,
    alpha: Alpha = 0.05,
    delta: Annotated[float, typer.Option(help="The accepted chance that the promise is broken.")] = 0.10,
    seed: Annotated[int, typer.Option(help="Of the split and of the row drawn per group.")] = 0,
    fit_share: Annotated[float, typer.Option(help="The part of the groups to fit on without --fit.")] = 0.5,
    catch: Annotated[float | None, typer.Option(help="The share of wrong actions that reviewers catch, if measured.")] = None,
    agent: Annotated[str | None, typer.Option(help="In place of --rows: the agent of a class of the desk's own actions.")] = None,
    tool: Annotated[str | None, typer.Option(help="The tool of that class.")] = None,
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
) -> None:
    """Certify a threshold of confidence, on rows from anywhere or on a desk's own; exit code 1 when none can be."""
    _shares(alpha=alpha, delta=delta, fit_share=fit_share)
    if agent is not None or tool is not None:
        if rows is not None or agent is None or tool is None:
            raise Failed("Name --rows, or --agent and --tool for a class of the desk's own actions.", 2)
        certify_class(url_of(home, database), who, agent, tool, alpha, delta, as_json=as_json)
        return
    if catch is not None and not 0 <= catch <= 1:
        raise Failed(f"--catch is a share from 0 to 1, not {catch:g}.", 2)
    if rows is None:
        raise Failed("--rows FILE is needed: JSON lines of decided actions, with a label; or --agent and --tool, of a desk.", 2)
    if score is not None and features:
        raise Failed("Name --features to fit on, or --score to take as it is, not both.", 2)
    named = [name.strip() for name in features.split(",") if name.strip()] if features else None
    try:
        names = named or (usual_features(fit or rows, label, group, score) or None if score is None else None)
        how: dict[str, Any] = {"score": score, "everywhere": named is not None}
        certifying = read_rows(rows, label, group, names, **how)
        fitting = read_rows(fit, label, group, names, **how) if fit else None
        applying = read_rows(apply, label, group, names, labelled=False, **how) if apply else None
        found = certify_rows(certifying, fitting, alpha=alpha, delta=delta, seed=seed, fit_share=fit_share)
    except RowsError as error:
        raise Failed(str(error), 2) from None
    applied = apply_to(found, applying) if applying else None
    if as_json:
        print_json(found.as_json(catch) | (_applied_json(applied, applying, alpha) if applied and applying else {}))
    else:
        _show(found, catch, group)
        _show_applied(applied, applying, alpha)
    if found.certified.threshold is None:
        raise typer.Exit(1)


def monitor(
    rows: Annotated[Path, typer.Option(help="JSON lines of actions that passed, in the order in which they ran.")],
    label: Label = "correct",
    share: Annotated[str | None, typer.Option(help="The audit share: a number, or the field that has it per row.")] = None,
    alpha: Alpha = 0.05,
    reserve: Annotated[float, typer.Option(help="The part of the stakes kept back to notice late changes sooner.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Watch a promise over audited actions; exit code 1 when the alarm rang.

    Without --share the rows that have a label are taken as audits drawn at one rate. With it every row is an action that passed,
    and one without a label (absent or null) was not drawn.
    """
    _shares(alpha=alpha)
    if not 0 <= reserve < 1:
        raise Failed(f"--reserve is at least 0 and below 1, not {reserve:g}.", 2)
    try:
        found = watch_rows(rows, label, alpha=alpha, share=share, reserve=reserve)
    except RowsError as error:
        raise Failed(str(error), 2) from None
    print_json(found.as_json()) if as_json else _show_watched(found)
    if found.monitor.alarmed:
        raise typer.Exit(1)


def _shares(**shares: float) -> None:
    for name, value in shares.items():
        if not LEAST_SHARE <= value < 1:
            raise Failed(f"--{name.replace('_', '-')} is a share between 0 and 1, of at least {LEAST_SHARE:g}, not {value:g}.", 2)


def _show(found: Certification, catch: float | None, group: str | None) -> None:
    one = found.certified
    table = Table("threshold", "pass", "wrong", "p", "", box=None)
    for test in one.tested:
        words = (f"{test.threshold:.4f}", str(test.n), str(test.k), f"{test.p:.4f}", "holds" if test.p <= one.delta else "fails")
        table.add_row(*(Text(word) for word in words))
    out.print(table)
    promised = f"at most {percent(one.alpha)} wrong, kept with a chance of {percent(1 - one.delta)}"
    if one.threshold is None:
        show(f"No certificate: {promised} cannot be promised on {one.rows} rows.")
    else:
        show(f"Certified from a confidence of {one.threshold:.4f} on: {promised}.")
        show(f"{one.n} of {one.rows} rows pass ({percent(one.coverage)}), {one.k} wrong; at most {percent(one.bound)} (U).")
    if group is None:
        show("Note: without --group every row was taken as independent of the others.")
    for note in found.notes:
        show(f"Note: {note}.")
    if one.more:
        rate = f", {one.more.at_this_rate} if errors go on as they are" if one.more.at_this_rate else ""
        show(f"The next candidate needs {one.more.without_errors} more audits of what it accepts without an error{rate}.")
    at = "At the candidate that failed" if one.threshold is None else "At this threshold"
    for promise in found.promises:
        more = promise.more.without_errors
        needs = "has enough audits" if not more else f"needs {more} more audits without an error"
        show(f"{at}, alpha {percent(promise.alpha)} {needs} ({promise.from_nothing} from nothing).")
    _show_risk(found, catch)
    show(f"Seed {found.seed}; fitted on {found.fit_rows} rows with {found.fit_errors} errors.")


def _show_risk(found: Certification, catch: float | None) -> None:
    risk = found.risk
    if risk.queue_errors is not None:
        show(f"Of what goes to people, {percent(risk.queue_errors)} is wrong ({risk.queue_rows} rows).")
    none, every = risk.at(0.0), risk.at(1.0)
    known = f"{percent(risk.at(catch))} if reviewers catch {percent(catch)}" if catch is not None else "in between otherwise"
    show(f"Of all actions, wrong and through: {percent(every)} if reviewers catch all, {percent(none)} if none, {known}.")


def _applied_json(applied: Applied, rows: Rows, alpha: float) -> dict[str, Any]:
    each = zip(rows.groups, applied.confidences, applied.allowed, strict=True)
    return {
        "applied": {
            "rows": len(rows),
            "allowed": sum(applied.allowed),
            "coverage": sum(applied.allowed) / len(rows),
            "labelled": applied.labelled,
            "wrong": applied.wrong,
            "risk": applied.risk,
            "p_value_of_risk_at_most_alpha": applied.p_value(alpha),
        },
        "rows_applied": [
            {"row": place, "group": group, "confidence": confidence, "allowed": allowed}
            for place, (group, confidence, allowed) in enumerate(each, 1)
        ],
    }


def _show_applied(applied: Applied | None, rows: Rows | None, alpha: float) -> None:
    if applied is None or rows is None:
        return
    table = Table("row", "group", "confidence", "", box=None)
    for place, (group, confidence, allowed) in enumerate(zip(rows.groups, applied.confidences, applied.allowed, strict=True), 1):
        told = "-" if confidence is None else f"{confidence:.4f}"
        table.add_row(*(Text(word) for word in (str(place), group, told, "passes" if allowed else "review")))
    out.print(table)
    passed = sum(applied.allowed)
    show(f"{passed} of {len(rows)} rows pass ({percent(passed / len(rows))}).")
    p = applied.p_value(alpha)
    if applied.risk is not None and p is not None:
        show(f"{applied.wrong} of {applied.labelled} of them are wrong ({percent(applied.risk)}); p = {p:.3f} for at most alpha.")


def _show_watched(found: Watched) -> None:
    now = found.monitor
    show(f"{now.audits} audits of {now.seen} actions, {now.errors} wrong; promised are at most {percent(now.alpha)}.")
    show(f"Evidence against the promise: {now.evidence:.3g} now, {found.highest:.3g} at most; the alarm rings at {ALARM:g}.")
    if found.alarm_row is not None:
        show(f"ALARM at row {found.alarm_row}, after {found.alarm_audits} audits: suspend the certificate.")
