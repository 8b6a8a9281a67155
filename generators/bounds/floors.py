"""Floors and ceilings: what no system should fall below, and what none can pass. They are made for each cohort."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from generators.catalogue import Options, System, make
from harness.errors import UsageError
from harness.scoring.floor_names import SUMMARIES, following
from harness.signature import digest as digest_of
from harness.types import Cohort, Generated, Generator, Role, Section, StudyInput, Text

NORMAL = {
    "en": Text(
        "The lungs are clear. The heart is normal in size. The mediastinum is unremarkable. There is no pleural effusion or pneumothorax. "
        "The bones are intact.",
        "No acute cardiopulmonary abnormality.",
    ),
    "zh": Text(
        "双肺野清晰,未见实变影。心影大小正常。纵隔未见增宽。双侧肋膈角锐利,未见胸腔积液及气胸。骨质未见异常。", "心肺膈未见明显异常。"
    ),
}
EVERYTHING = {
    "en": Text(
        "The heart is enlarged and the mediastinum is widened. There is pulmonary edema with vascular congestion and interstitial lung disease. "
        "Consolidation in the right lower lobe consistent with pneumonia. Patchy opacity and atelectasis at the left base. A lung nodule and a "
        "cavity are seen. Emphysema. Bilateral pleural effusions, loculated on the left, with pleural thickening. Right pneumothorax. "
        "Bronchiectasis and tracheal narrowing. Calcified granuloma and aortic calcification. Rib fracture. A central venous catheter is in place.",
        "Pulmonary edema, pneumonia, pleural effusion, pneumothorax and mediastinal mass.",
    ),
    "zh": Text(
        "心影增大,纵隔增宽。肺水肿,肺血管充血,间质性肺病。右下肺实变,考虑肺炎。左肺底斑片影及肺不张。可见肺结节及空洞。肺气肿。"
        "双侧胸腔积液,左侧包裹性积液,胸膜增厚。右侧气胸。支气管扩张,气管狭窄。钙化灶,主动脉钙化。肋骨骨折。中心静脉导管在位。",
        "肺水肿、肺炎、胸腔积液、气胸及纵隔肿物。",
    ),
}


def section_of(text: Text, section: Section) -> str:
    """The text that a cohort with this section is scored on."""
    if section is Section.FINDINGS:
        return text.findings
    if section is Section.IMPRESSION:
        return text.impression
    return f"{text.findings}\n{text.impression}"


@dataclass(frozen=True, slots=True)
class Bound:
    """A floor or ceiling of one cohort: a report for each of its scored studies, known beforehand."""

    name: str
    digest: str
    reports: Mapping[str, str] = field(repr=False)
    writes: Section
    needs: frozenset[str] = frozenset()
    exact_batches: bool = True

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Look the reports up."""
        return [Generated(study.id, self.reports[study.id]) for study in studies]


def constant(cohort: Cohort, table: Mapping[str, Text]) -> dict[str, str]:
    """One text for all studies, in the cohort's language and section."""
    text = section_of(table.get(cohort.manifest.language, table["en"]), cohort.manifest.section)
    return {study.id: text for study in cohort.scored}


def shuffled(cohort: Cohort, seed: int) -> dict[str, str]:
    """Every study gets another study's reference: the right prevalences, the wrong patients."""
    other = following([study.id for study in cohort.scored], cohort.manifest.digest, seed)
    return {name: cohort.reference(source) for name, source in other.items()}


def references(cohort: Cohort) -> dict[str, str]:
    """The references themselves."""
    return {study.id: cohort.reference(study.id) for study in cohort.scored}


def neighbour(cohort: Cohort) -> dict[str, str]:
    """The reference of the most similar film of the train part; the normal report where a study has no film."""
    from generators.bounds.neighbour import nearest

    return nearest(cohort, section_of(NORMAL.get(cohort.manifest.language, NORMAL["en"]), cohort.manifest.section))


Maker = Callable[[Cohort, int], dict[str, str]]
BOUNDS: dict[str, tuple[Role, str, Maker]] = {
    "constant-normal": (Role.FLOOR, SUMMARIES["constant-normal"], lambda cohort, _: constant(cohort, NORMAL)),
    "all-findings": (Role.FLOOR, SUMMARIES["all-findings"], lambda cohort, _: constant(cohort, EVERYTHING)),
    "shuffled-references": (Role.FLOOR, SUMMARIES["shuffled-references"], shuffled),
    "nearest-neighbour": (Role.FLOOR, "the reference of the train film that looks most alike", lambda cohort, _: neighbour(cohort)),
    "references": (Role.CEILING, "the references themselves", lambda cohort, _: references(cohort)),
}


def bounds_of(cohort: Cohort) -> tuple[str, ...]:
    """The floors and ceilings that this cohort can have: the nearest neighbour needs films and a train part."""
    from generators.bounds.neighbour import can

    return tuple(name for name in BOUNDS if name != "nearest-neighbour" or can(cohort))


def bound(name: str, cohort: Cohort, seed: int = 0) -> Bound:
    """Make a floor or ceiling of a cohort."""
    _, _, maker = BOUNDS[name]
    reports = maker(cohort, seed)
    return Bound(name, digest_of([name, cohort.manifest.digest, seed]), reports, cohort.manifest.section)


def made(system: System, options: Options, cohort: Cohort) -> Generator:
    """Any system of the catalogue; a floor or ceiling is made from the cohort."""
    return bound(system.name, cohort, options.seed) if system.name in BOUNDS else make(system, options)


def needs_a_cohort(_: Options) -> Bound:
    """Floors and ceilings are made by `bound`, which takes the cohort.

    Raises:
        UsageError: Always.
    """
    raise UsageError("a floor or ceiling has no weights and is made from a cohort: see `ranscore floors --cohort NAME`")


SYSTEMS: tuple[System, ...] = tuple(
    System(
        name=name,
        make="generators.bounds.floors:needs_a_cohort",
        summary=summary,
        writes=Section.BOTH,
        needs=frozenset({"reference"}),
        role=role,
    )
    for name, (role, summary, _) in BOUNDS.items()
)
