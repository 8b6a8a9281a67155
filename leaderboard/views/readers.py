"""Readers' standards: how far people agree on what reports say, which is what every score on the board rests on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.types import Json
from leaderboard.board import Board
from leaderboard.html.addresses import Addresses
from leaderboard.html.markup import Html, el, grid, join, person, scrolling
from leaderboard.standards import Standard
from leaderboard.views.board import heading

MEASURES: Mapping[str, str] = {
    "raw": "Raw",
    "ac1": "AC1",
    "fleiss": "Fleiss",
    "alpha": "Alpha",
    "cohen": "Cohen",
    "positive": "On present",
    "negative": "On absent",
}
"""In the order of the columns: kappa and AC1 are always beside each other."""
MEANING: Mapping[str, str] = {
    "Raw": "share of the pairs of readers who answer alike",
    "AC1": "Gwet's AC1: beyond chance, where chance is how often a hesitant reader would guess",
    "Fleiss": "Fleiss' kappa: beyond chance, where chance is drawn from all answers",
    "Alpha": "Krippendorff's alpha: as Fleiss' kappa, for missing answers and few items too",
    "Cohen": "Cohen's kappa, the mean over all pairs of readers",
    "On present": "if one reader says present, how often another one does",
    "On absent": "the same for absent",
    "Oneself": "Cohen's kappa of a reader's first and second answer about the same report",
}
CAUSES = {"tie": "Tie", "spread": "Spread", "missing": "Too few", "uncertain": "Uncertain"}
KINDS = {"findings": "findings of reports", "pairs": "errors of pairs of reports", "rating": "quality of reports"}
METRICS = {"within": "within a study", "across": "all reports", "systems": "whole systems"}


def view(board: Board, standards: Sequence[Standard], others: Sequence[Board], to: Addresses) -> Html:
    """The whole page: the standards of this board's cohort first."""
    ordered = sorted(standards, key=lambda item: (item.cohort != board.cohort.digest, item.name))
    return el(
        "div",
        heading(board, others, "readers", to),
        lead(),
        join(section(item, item.cohort == board.cohort.digest) for item in ordered) if ordered else nothing(),
        class_="rs-view",
        data_board=board.key,
    )


def lead() -> Html:
    """Why the page is there."""
    words = (
        "Every score rests on labels. Here people read reports blind and alone, and this is how far they agree: it is as far as any "
        "extractor can be asked to go."
    )
    return el("p", words, class_="rs-lead")


def without_board(standards: Sequence[Standard]) -> Html:
    """The page of a store without a record: the standards alone."""
    heads = el("h2", "Readers", tabindex="-1")
    return el("div", heads, lead(), join(section(item, True) for item in standards), class_="rs-view")


def nothing() -> Html:
    """No standard was settled here."""
    steps = ("ranscore readers demo", "ranscore readers new NAME --cohort COHORT")
    words = (" shows everything on a synthetic study", " begins one of your own")
    listed = [el("li", el("code", step), text) for step, text in zip(steps, words, strict=True)]
    return el("div", el("p", "No standard has been settled beside this board."), el("ul", *listed))


def section(item: Standard, own: bool) -> Html:
    """One standard."""
    data = item.data
    agreement = data["agreement"]
    return el(
        "section",
        el("h3", person(item.name)),
        facts(data, own),
        el("h4", "Agreement by question"),
        questions(item.name, agreement),
        why(),
        el("div", matrix(item.name, agreement), undecided(item.name, data), strata(item.name, data), class_="rs-sides"),
        rating(item.name, data["rating"]) if data.get("rating") else None,
        el("p", "Standard ", el("code", data["digest"][:16]), ", study ", el("code", data["study"][:16]), ".", class_="rs-fine"),
    )


def facts(data: Json, own: bool) -> Html:
    """What was read, by how many, and whether anybody looked early."""
    agreement, rule, draw = data["agreement"], data["rule"], data["draw"]
    how = {"random": "drawn at random", "rare": "drawn by the rarest finding, with weights", "listed": "listed"}[draw["how"]]
    chips = [
        KINDS[data["kind"]],
        f"cohort {data['cohort']['name']}" + ("" if own else " (not this board's)"),
        f"{agreement['items']:,} items of {agreement['patients']:,} patients",
        f"{how} from {draw['of']:,}, part {draw['part']}",
        f"{agreement['readers']} readers, {rule['at_least']} equal answers decide",
    ]
    looks = data["looks"]
    early = (
        f"Somebody looked at the agreement {looks} times before all sheets were in."
        if looks
        else "Nobody looked before all sheets were in."
    )
    waiting = f" Sheets that were open when it was settled: {len(data['open'])}." if data["open"] else ""
    return el("div", el("ul", join(el("li", chip) for chip in chips), class_="rs-chips"), el("p", early + waiting))


def questions(name: str, agreement: Json) -> Html:
    """A row a question, and one for all together."""
    several = {"0", "1", "2"} == set(agreement["questions"][0]["answers"]) if agreement["questions"] else False
    heads = ["Question", "Inapplicable, acceptable, appropriate" if several else "Present", "Undecided", *MEASURES.values(), "Oneself"]
    rows = [
        [item["name"], positives(item), sum(item["undecided"].values()), *cells(item), own(item["self"])] for item in agreement["questions"]
    ]
    overall = agreement["overall"]
    rows.append(["All together", "", "", *(triple(overall["measures"][key]) for key in MEASURES), own(overall["self"])])
    return grid(
        f"{name}: agreement of {agreement['readers']} readers by question, with 95 % intervals over patients", heads, rows, hidden=True
    )


def positives(item: Json) -> object:
    """How many items the majority answered how."""
    counts = item["answers"]
    return " / ".join(str(counts[value]) for value in ("0", "1", "2")) if "2" in counts else int(counts["1"])


def cells(item: Json) -> list[Html]:
    """The measures of a question; nothing is claimed with fewer than ten of either answer."""
    if item["few"]:
        return [el("span", "cannot say", class_="rs-minor"), *[el("span", "–")] * (len(MEASURES) - 1)]
    return [triple(item["measures"][key]) for key in MEASURES]


def own(item: Json) -> Html:
    """Kappa of readers with themselves."""
    return el("span", "cannot say", class_="rs-minor") if item["few"] else triple(item["measures"]["cohen"])


def triple(values: Sequence[float]) -> Html:
    """A value over its interval."""
    value, low, high = values
    return el("span", f"{value:.2f}", el("span", f"{low:.2f} to {high:.2f}", class_="rs-minor rs-range"))


def why() -> Html:
    """What the columns mean, and why two measures are shown side by side."""
    terms = join(join([el("dt", name), el("dd", words)]) for name, words in MEANING.items())
    return el(
        "div",
        el(
            "p",
            "Kappa and AC1 are shown side by side because neither says enough alone. On a rare finding readers can agree in 98 of 100 reports "
            "and still have a kappa of 0.4: kappa asks what chance would give, and with a rare finding chance gives nearly everything. AC1 stays "
            "high there, and says little about whether the few positives are the same ones; agreement on present does. “Cannot say”: fewer than "
            "10 items are present by majority, or fewer than 10 are absent.",
            class_="rs-fine",
        ),
        el("details", el("summary", "What the columns mean"), el("dl", terms, class_="rs-facts")),
    )


def matrix(name: str, agreement: Json) -> Html:
    """Cohen's kappa of every pair of readers; readers have numbers, no names."""
    size = agreement["readers"]
    known = {(one, other): values for one, other, *values in agreement["pairs"]}
    numbers = [f"R{number + 1}" for number in range(size)]
    top = join([el("td", ""), *(el("th", number, scope="col") for number in numbers)])
    body = [
        el("tr", el("th", numbers[row], scope="row"), *(pair(known.get((min(row, column), max(row, column)))) for column in range(size)))
        for row in range(size)
    ]
    label = f"{name}: Cohen's kappa of every pair of readers"
    table = el("table", el("caption", label, class_="rs-hidden"), el("thead", el("tr", top)), el("tbody", join(body)), class_="rs-matrix")
    selves = [el("li", f"R{number + 1}: ", own(item)) for number, item in enumerate(agreement["selves"])]
    return el(
        "div",
        el("h4", "Reader by reader"),
        el("p", "Cohen's kappa of every pair, all questions together. The stronger the colour, the closer.", class_="rs-fine"),
        scrolling(table, label),
        el("details", el("summary", "Each reader with herself or himself"), el("ul", join(selves)))
        if any(x["answers"] for x in agreement["selves"])
        else None,
    )


def pair(values: Sequence[float] | None) -> Html:
    """One cell of the matrix."""
    if values is None:
        return el("td", "–")
    value, low, high = values
    return el(
        "td",
        f"{value:.2f}",
        el("span", f"{low:.2f}–{high:.2f}", class_="rs-ends"),
        class_=f"rs-s{min(max(int(value * 8), 0), 7)}",
        data_v=repr(value),
    )


def undecided(name: str, data: Json) -> Html:
    """Cells without a certain majority, by cause."""
    names = {item["id"]: item["name"] for item in data["agreement"]["questions"]}
    rows: list[list[object]] = [
        [names.get(key, key), *(counts.get(cause, 0) for cause in CAUSES)] for key, counts in data["undecided"].items()
    ]
    total = [sum(counts.get(cause, 0) for counts in data["undecided"].values()) for cause in CAUSES]
    rows.append(["All together", *total])
    return el(
        "div",
        el("h4", "Left without a certain majority"),
        el(
            "p",
            "These cells are left out of every score against this standard, as in the paper. Tie: as many present as absent; spread: over all three answers; too few: answers are missing; uncertain: by majority.",
            class_="rs-fine",
        ),
        grid(f"{name}: undecided answers by cause", ["Question", *CAUSES.values()], rows, hidden=True),
    )


def strata(name: str, data: Json) -> Html | None:
    """What was drawn from where, and what it stands for."""
    if not data["strata"]:
        return None
    rows = [[item["stratum"], item["drawn"], item["of"], item["of"] / item["drawn"]] for item in data["strata"]]
    return el(
        "div",
        el("h4", "How the items were drawn"),
        el(
            "p",
            "By the rarest finding that an extractor saw in the report. Each item stands for as many studies as its weight says.",
            class_="rs-fine",
        ),
        grid(f"{name}: drawn by stratum", ["Rarest finding", "Drawn", "Of", "Weight"], rows, hidden=True),
    )


def rating(name: str, found: Json) -> Html:
    """How systems were judged, and how every metric orders the same systems and reports."""
    names = list(found["systems"][0]["means"]) if found["systems"] else []
    judged = [[person(row["system"]), row["reports"], *(triple(row["means"][key]) for key in names)] for row in found["systems"]]
    heads = ["System", "Reports", *(key.replace("_", " ").capitalize() for key in names)]
    ordered = [
        [el("code", row["metric"]), *(triple(row[key]) if row[key] else el("span", "cannot say", class_="rs-minor") for key in METRICS)]
        for row in found["metrics"]
    ]
    return el(
        "div",
        el("h4", "How the systems were judged"),
        el("p", "Judgement: 2 appropriate and concise, 1 acceptable, 0 inapplicable; faults: share of the answers.", class_="rs-fine"),
        grid(f"{name}: judgement of each system", heads, judged, hidden=True),
        el("h4", "How the metrics order the same reports"),
        el(
            "p",
            "Kendall's tau-b with the readers' judgement: 1 the same order, 0 unrelated. Within a study only the systems are compared; over all reports it also matters how hard a study is.",
            class_="rs-fine",
        ),
        grid(f"{name}: tau-b of metrics with the judgement", ["Metric", *METRICS.values()], ordered, hidden=True)
        if ordered
        else el("p", "The store has no score that all these systems share."),
    )
