"""Making a study: draw the items, deal the orders, freeze."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import InputError, Problem, UsageError
from harness.findings import NO_FINDING, RAN_21
from harness.records.store import Store, Stored
from harness.types import Cohort, Extractor, Labels, Status
from validation.readers import draw, questions
from validation.readers.study import CohortRef, Draw, Item, ReadingStudy, text_hash
from validation.readers.texts import of_item, reports_of

FEWEST_READERS = 2
PARTS = ("test", "dev", "train")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPlan:
    """What a coordinator decides."""

    kind: str = "findings"
    part: str = "test"
    items: int = 300
    """Studies to draw; where systems are named, every system's report about each is read."""
    readers: int = 6
    how: str = "random"
    repeats: int | None = None
    """How many items each reader reads twice; None for one in ten, at most 20."""
    at_least: int | None = None
    """So many equal answers decide; None for more than half."""
    language: str = ""
    """The language of the questions; empty for the cohort's."""
    listed: Sequence[str] = ()
    """Studies to read instead of a draw."""
    systems: Sequence[str] = ()
    """Records of the store whose reports are read: one for pairs, any number for a rating, and beside the originals for findings."""
    with_reference: bool = False
    threshold: str = ""
    decided_by: str = ""


def study(
    cohort: Cohort, plan: ReadingPlan, *, seed: str, salt: str, store: Store | None = None, extractor: Extractor | None = None
) -> ReadingStudy:
    """Draw and put together a study; nothing is written.

    Args:
        cohort: Where the texts come from.
        plan: What was decided.
        seed: Decides draw and orders; unguessable, so that no reader can know another's order.
        salt: Key of the text hashes, 32 bytes in hex.
        store: Holds the generated reports.
        extractor: Sees the findings for a draw by rarity.

    Raises:
        UsageError: The plan cannot be carried out.
        InputError: Listed studies or reports are not there.
    """
    form = questions.form(plan.kind, plan.language or cohort.manifest.language)
    _check(plan)
    drawn, strata, made = _drawn(cohort, plan, seed, extractor)
    items = _items(cohort, plan, drawn, strata, salt, store)
    names = [item.id for item in items]
    repeats = min(20, len(items) // 10) if plan.repeats is None else plan.repeats
    if not 0 <= repeats <= len(items) // 3:
        raise UsageError(f"of {len(items)} items at most {len(items) // 3} can be read twice, not {repeats}")
    manifest = cohort.manifest
    return ReadingStudy(
        form=form,
        cohort=CohortRef(
            name=manifest.name, digest=manifest.digest, section=manifest.section, access=manifest.access, language=manifest.language
        ),
        draw=made,
        salt=salt,
        items=items,
        orders={
            reader: draw.order(names, reader, repeats, seed, plan.kind == "pairs")
            for reader in (f"reader-{number}" for number in range(1, plan.readers + 1))
        },
        at_least=plan.at_least or plan.readers // 2 + 1,
        with_reference=plan.with_reference,
        threshold=plan.threshold,
        decided_by=plan.decided_by,
    )


def _check(plan: ReadingPlan) -> None:
    wrong = []
    if not FEWEST_READERS <= plan.readers <= 50:
        wrong.append(f"a study has 2 to 50 readers, not {plan.readers}")
    if plan.items < 1:
        wrong.append(f"a study has at least 1 item, not {plan.items}")
    if plan.part not in PARTS:
        wrong.append(f"there is no part {plan.part!r}; there are {', '.join(PARTS)}")
    if plan.at_least is not None and not plan.readers / 2 < plan.at_least <= plan.readers:
        wrong.append(f"a majority of {plan.readers} readers is {plan.readers // 2 + 1} to {plan.readers}, not {plan.at_least}")
    if plan.kind == "pairs" and len(plan.systems) != 1:
        wrong.append("a study of pairs compares the originals with one system: name it with --system")
    if plan.kind == "rating" and not plan.systems:
        wrong.append("a rating judges the reports of systems: name each with --system")
    if plan.with_reference and plan.kind != "rating":
        wrong.append("--with-reference belongs to --kind rating")
    if wrong:
        raise UsageError([Problem(text) for text in wrong])


def _drawn(
    cohort: Cohort, plan: ReadingPlan, seed: str, extractor: Extractor | None
) -> tuple[Mapping[str, float], Mapping[str, str], Draw]:
    """By study its weight, by study its stratum, and how it was drawn."""
    there = [item.id for item in cohort.manifest.studies if item.part == plan.part and cohort.reference(item.id).strip()]
    if plan.listed:
        missing = sorted(set(plan.listed) - set(there))
        if missing:
            raise InputError(
                [
                    Problem(f"the part {plan.part} of {cohort.manifest.name} has no such study with text", study=name)
                    for name in missing[:20]
                ]
            )
        return dict.fromkeys(plan.listed, 1.0), {}, Draw(how="listed", part=plan.part, of=len(there))
    if plan.items > len(there):
        raise UsageError(f"the part {plan.part} of {cohort.manifest.name} has {len(there)} studies with text, fewer than {plan.items}")
    if plan.how == "random":
        return draw.at_random(there, plan.items, seed), {}, Draw(how="random", part=plan.part, of=len(there), seed=seed)
    if extractor is None:
        raise UsageError("a draw by rarity needs an extractor")
    seen = dict(zip(there, extractor.extract([cohort.reference(name) for name in there]), strict=True))
    strata = draw.strata({name: present(labels) for name, labels in seen.items()})
    if plan.items < 2 * len(set(strata.values())):
        count = len(set(strata.values()))
        what = f"a draw by rarity needs at least 2 items for each of {count} strata, not {plan.items} in all"
        raise UsageError(f"{what}; say --items {2 * count} or more, or --draw random")
    made = Draw(how="rare", part=plan.part, of=len(there), seed=seed, extractor=f"{extractor.name} {extractor.digest}")
    return draw.by_rarity(strata, plan.items, seed), strata, made


def present(labels: Labels) -> tuple[str, ...]:
    """The findings, without *No Finding*, that an extractor saw."""
    decided = zip(RAN_21, labels.values, labels.statuses, strict=True)
    return tuple(name for name, value, status in decided if value == 1 and status is Status.OK and name != NO_FINDING)


def _items(
    cohort: Cohort, plan: ReadingPlan, drawn: Mapping[str, float], strata: Mapping[str, str], salt: str, store: Store | None
) -> tuple[Item, ...]:
    owner = {item.id: item.patient for item in cohort.manifest.studies}
    records = [store.find(name) for name in plan.systems] if store else []
    reports = {record.id: reports_of(store, record.id) for record in records} if store else {}
    for stored in records:
        if missing := [name for name in drawn if not reports[stored.id].get(name, "").strip()]:
            what = f"{stored.record.system.name} has no report about {len(missing)} of the studies that were drawn"
            raise InputError(Problem(what, "Choose another system, or list the studies with --ids", study=sorted(missing)[0]))
    read: Sequence[Stored | None] = [None, *records] if plan.kind == "findings" or not records else records
    wanted = [(name, record) for name in sorted(drawn) for record in read]
    width = len(str(len(wanted)))
    items = []
    for number, (name, record) in enumerate(wanted, 1):
        generated = reports[record.id][name] if record else ""
        texts = of_item(plan.kind, plan.with_reference, cohort.reference(name), generated)
        items.append(
            Item(
                id=f"{number:0{width}d}",
                study=name,
                patient=owner[name],
                text=text_hash(salt, texts),
                system=record.id if record else "",
                system_name=record.record.system.name if record else "",
                stratum=strata.get(name, ""),
                weight=drawn[name],
            )
        )
    if len({item.row for item in items}) < len(items):
        raise UsageError("several reports would have one id in the label file: ids of studies must not end in @ and a number")
    return tuple(items)
