"""Writes the page of evidence: every number comes from the results that are passed in, with n, seed and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..tables import percent
from .guarantee import LABELS
from .run import HALVINGS, SHOP_ALPHAS
from .table import (
    Shown,
    alarms_table,
    autonomy_cells,
    autonomy_table,
    classes_table,
    editing_table,
    lines_of,
    number,
    targets,
    writes_table,
)
from .writes import HALVINGS as WRITE_HALVINGS

QUESTIONS_FIGURE, SHOP_FIGURE = "evidence-questions.png", "evidence-shop.png"

Result = Mapping[str, Any]


def page(result: Result, own: Result, tries: Result, about: Mapping[str, str]) -> str:
    """Return the page as Markdown.

    Args:
        result: of `run_protocol` on the rows of real agents, or on a folder without any.
        own: of `run_own`, on the repository's own rows.
        tries: of `run_tries`.
        about: what was run on: `date`, `versions`, `machine`, `command`, and `data`, where the real rows were looked for.
    """
    parts = [
        _opening(result, about),
        _autonomy(result),
        _writes(result),
        _editing(result),
        _monitor(result),
        _own(own),
        _known(own),
        _tried(tries),
        _method(result, about),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _opening(result: Result, about: Mapping[str, str]) -> str:
    lines = _table(
        "",
        ("what", "target", "measured", ""),
        [(one.what, one.target, one.measured, "met" if one.met else "**missed**") for one in targets(result)],
    )
    return f"""# Evidence

Does the gate keep its promise, and what does it save? Measured with the product's own functions by the scoring protocol in
`evals/protocol/`, on {about["date"]}. `{about["command"]}` writes this page again; by hand are only its words. It is evidence for
the rows it was measured on, and for no others: your own certificates rest on your own labels.

{lines}

{_warning(result)}"""


def _warning(result: Result) -> str:
    if "skipped" in result["questions"]:
        return "The other targets need rows of real agents, which were not there."
    return """The first three lines rest on the benchmark's category of each question, which no desk knows; the fourth does without
what the category gives away, and is the number to quote for a desk. [Why](#guaranteed-autonomy) is told below."""


def _autonomy(result: Result) -> str:
    part = result["questions"]
    if "skipped" in part:
        return f"## Guaranteed autonomy\n\n**Skipped**: {part['skipped']} ({_where(result)})."
    head = next(one for one in part["heads"] if one["name"] == part["headline"])
    low, honest = part["heads"][0], next(one for one in part["heads"] if one["name"] == "agreement and kind of request")
    raw, fitted = part["diagnosis"]["raw"], part["diagnosis"]["head"]
    worth = _table(
        "",
        ("score", "n", "AUROC", "calibration error", "Brier"),
        [
            (name, str(one["n"]), number(one["auroc"], 3), number(one["calibration_error"], 3), number(one["brier"], 3))
            for name, one in (("agreement as it is", raw), ("fitted head", fitted))
        ],
    )
    return f"""## Guaranteed autonomy

Six models answer the same questions with tool calls; for each call it is known whether it was right, and which of seven or eight
other models proposed the same. Per model {LABELS} labels are drawn, the certificate promises at most
{percent(part["alpha"], 0)} wrong with delta {percent(part["delta"], 0)}, and the remaining calls are scored. Means over the models.

{_lines(autonomy_table("", part))}

* **passes**: share of the remaining calls that passed; no certificate counts 0.
* **wrong of it**: mean over the splits where something passed. Where most splits give no certificate, these few are the ones whose
  labels happened to show few errors, and their mean may lie above the promise; what delta bounds is how often it is broken at all.
* **test rejects**: splits in which an exact one-sided test at 5% on the remaining calls rejects the promise.
* **truly above**: splits whose threshold lets through more than {percent(part["alpha"], 0)} wrong of all calls of that model,
  labelled and remaining.
* Where the model answered without a call there is nothing to let through; the lines "calls and answers without a call" count such
  answers too, as actions of their own.

**What the category gives away.** One of the benchmark's categories holds questions that no offered tool fits: every call there
is wrong. Agreement cannot see it: on some of these questions all models agree on the same wrong call. With the category a head
lets {number(head["coverage"])} through; told only how many tools and calls a request is about, {number(honest["coverage"])}; with
agreement alone {number(low["coverage"])}, because a handful of unanimous errors decides whether there is a certificate at all. A
desk comes near the first number only with a signal that tells when no tool fits.

**A tuned threshold breaks the promise.** The last two lines pick the loosest threshold whose {LABELS} labels had at most
{percent(part["alpha"], 0)} wrong: what is usually done. It is above the promise in up to
{percent(max(one["broken"] for one in part["tuned"]), 1)} of the splits; certificates in at most
{percent(max(one["broken"] for one in (part["raw"], *part["heads"], *part["every"])), 1)}, where
{percent(part["delta"], 0)} are allowed.

The headline, by model:

{_lines(classes_table("", head))}

![Left: how often calls were right at each confidence; right: share of wrong by how much passes](images/{QUESTIONS_FIGURE})

{worth}

The expected calibration error has ten bins of equal width; intervals in the figure are Clopper and Pearson's at 95%. Formulas and
sources are in `evals/certify/diagnostics.py`."""


def _writes(result: Result) -> str:
    part = result["writes"]
    if "skipped" in part:
        return f"## Finding wrong writes\n\n**Skipped**: {part['skipped']} ({_where(result)})."
    return f"""## Finding wrong writes

Agents of a shop and an airline proposed changes to a database; each was replayed, so it is known which were wrong. **Wrong** means
labelled wrong, among the writes whose dry run passed: the others go back to the agent and cost nobody's time. The head is fitted on
both domains. It doubts a write more where fewer of three other whole runs of the task proposed the same, where a policy rule spoke,
and, with the last set, by which kinds of agent agree.

{_lines(writes_table(part))}

**found in 20%**: share of the wrong writes among the fifth that is doubted most, of those that could run; the next column takes
the fifth of all proposed writes. Ties are shared out evenly, so no order of rows helps. {_halved(result, WRITE_HALVINGS)} These
are few rows: one wrong retail write more or less moves **found** by two points."""


def _editing(result: Result) -> str:
    part = result["editing"]
    if "skipped" in part:
        return f"## The gain of editing\n\n**Skipped**: {part['skipped']} ({_where(result)})."
    return f"""## The gain of editing

The same conversations with a perfect reviewer who sees every write: how many end with the right data. Rejecting keeps the wrong
out; an edit also puts the right in. This is the most that a reviewer could gain, not what yours will.

{_lines(editing_table(part))}"""


def _monitor(result: Result) -> str:
    return f"""## The monitor

Simulated audits of what passes, at the promised error rate and above it; {result["alarms"]["streams"][0]["streams"]:,} streams a
line. The z-test is what a dashboard would do: a one-sided test at 5%, looked at after every audit from the 30th on.

{_lines(alarms_table(result["alarms"]))}

The monitor may be looked at after every audit and still rings without cause in at most 1 of 20 streams, ever. Tight promises are
slow to check: compare the delay at 1%. A signed class keeps a part of its stakes for changes after a long calm: a little slower
at first, much sooner late. The targets above are for that one; `assent monitor` does without unless told."""


def _own(own: Result) -> str:
    shop = own["shop"]
    if "skipped" in shop:
        return f"## The shop's own rows\n\n**Skipped**: {shop['skipped']}."
    lines = [(f"{one['name']}, alpha {percent(one['alpha'], 0)}", *autonomy_cells(one)) for one in shop["lines"]]
    columns = ("rule", "passes", "wrong of it", "test rejects", "truly above", "no certificate")
    raw, fitted = shop["diagnosis"]["raw"], shop["diagnosis"]["head"]
    strict, lenient = (percent(alpha, 0) for alpha in SHOP_ALPHAS)
    return f"""## The repository's own rows: where nothing should pass

{shop["rows"]} messages to the demo shop, each with the action a person would take, played by a retriever that remembers a part of
the others; agreement is that of five more that remember other parts. It is right in {shop["right"]} of {shop["rows"]}. At {strict}
no certificate should be given; {lenient} is a promise that can be kept for some.

{_table("", columns, lines)}

![The same two diagrams for the demo shop's messages](images/{SHOP_FIGURE})

AUROC {number(raw["auroc"], 3)} for agreement and {number(fitted["auroc"], 3)} for the head; calibration error
{number(raw["calibration_error"], 3)} and {number(fitted["calibration_error"], 3)}, n = {fitted["n"]}. The rows are in
`evals/protocol/data/shop.jsonl`, made by `python -m assent.evals.protocol.shop`."""


def _known(own: Result) -> str:
    rows = [(one["rule"], f"{one['draws']:,}", number(one["coverage"], 3), percent(one["broken"], 1)) for one in own["known"]]
    return f"""## Where the truth is known

Made-up rows whose error rate at every threshold is known by construction: exactly 5% is wrong of the better half, less above, more
below. So "truly above" needs no test. {LABELS} labels a draw, alpha 5%, delta 10%.

{_table("", ("rule", "draws", "passes", "truly above"), rows)}

The second line spends the same number of labels only on actions that some candidate would accept. Among these every one still has
the same chance to be labelled, so the test stays exact, and each candidate is tested on more rows."""


def _tried(tries: Result) -> str:
    if "skipped" in tries:
        return f"## What was tried\n\n**Skipped**: {tries['skipped']}."
    rows = [(one["name"], *autonomy_cells(one)) for one in tries["lines"]]
    columns = ("what", "passes", "wrong of it", "test rejects", "truly above", "no certificate")
    return f"""## What was tried

Guaranteed autonomy as above, {tries["splits"]} splits a line over {HALVINGS} halvings, one thing changed at a time. Differences of
.01 are noise; of equals the simpler was kept. The reasons are in `docs/decisions/0037-one-pooled-head.md`.

{_table("", columns, rows)}"""


def _method(result: Result, about: Mapping[str, str]) -> str:
    return f"""## How it was measured

* **Rows of real agents.** Looked for in {about["data"]};
  they are not part of this repository. `bfcl_agreement.jsonl` has answers of the Berkeley Function-Calling Leaderboard's models as
  right or wrong and who agreed; `tau_writes.jsonl` and `tau_runs.jsonl` are conversations of tau-bench, airline and retail, with
  each write replayed. Their form is told at the head of
  `evals/protocol/questions.py`, `writes.py` and `editing.py`. Rows of yours in that form can be measured as well.
* **Fitting.** {_fitting(result)}
* **Choices** of features and penalties were made on these same rows, so what is shown is a little too good; only rows that nobody
  has tuned on can tell by how much: `python -m assent.evals.protocol --fit DIR --rows OTHER`.
* **Customers' messages to a bank** (BANKING77) are measured as a stream in `docs/learning.md`.
* **Not shown**: that reviewers are right (labels here are a benchmark's), that tomorrow is like these rows, or that actions of one
  conversation are independent. Questions are: each gives one row per model.
* **Run**: {about["versions"]}; {about["machine"]}; seed {result["seed"]}; {result["splits"]} splits. The
  same command on the same versions gives the same numbers, date apart."""


def _fitting(result: Result) -> str:
    if result["fit"] == "halves":
        return f"""Heads are fitted on one half of the questions, or tasks, and score the other, both ways, so no row is scored by
  a head that saw it. {HALVINGS} halvings of the questions share the splits."""
    return f"Heads are fitted on `{result['fit']}`, certified and scored on `{result['rows']}`."


def _halved(result: Result, halvings: int) -> str:
    return f"Means over {halvings} halvings by task." if result["fit"] == "halves" else ""


def _where(result: Result) -> str:
    return f"in `{result['rows']}`"


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return _lines(Shown(title, columns, tuple(rows)))


def _lines(shown: Shown) -> str:
    return "\n".join(lines_of(shown))
