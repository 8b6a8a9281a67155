"""The two vocabularies: the paper's 21 findings and CheXpert's 14 observations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of the paper."""

    name: str
    """As shown to people."""
    column: str
    """As the authors' released files spell it."""
    definition: str
    """What a report must assert for the finding to be present, in our words."""
    comparable: bool
    """Whether CheXpert has the same observation."""

    @property
    def slug(self) -> str:
        """Lower case with hyphens, for file names and addresses."""
        return self.name.lower().replace(" ", "-")


FINDINGS: tuple[Finding, ...] = (
    Finding(
        "Atelectasis",
        "Atelectasis",
        "Collapse or volume loss of lung, by name or by a displaced fissure; not crowding or a raised diaphragm alone.",
        True,
    ),
    Finding(
        "Cardiomegaly",
        "Cardiomegaly",
        "An enlarged heart, mild and borderline included; not where low volumes or technique explain the size.",
        True,
    ),
    Finding(
        "Consolidation",
        "Consolidation",
        "Consolidation or airspace disease; not diffuse opacity read as oedema, nor what merely cannot be excluded.",
        True,
    ),
    Finding("Edema", "Edema", "Pulmonary oedema of any degree, resolving included.", True),
    Finding(
        "Enlarged Cardiomediastinum",
        "Enlarged Cardiomediastinum",
        "An enlarged cardiac or mediastinal silhouette: any cardiomegaly, borderline included, or a widened mediastinum.",
        True,
    ),
    Finding("Fracture", "Fracture", "A fracture of any bone, old and healed ones and compression deformities included.", True),
    Finding(
        "Lung Lesion", "Lung Lesion", "A nodule, mass, cavity, fibrosis or bronchiectasis, a mass that cannot be excluded included.", True
    ),
    Finding("No Finding", "No Finding", "None of the other 20 findings is present.", True),
    Finding(
        "Pleural Effusion",
        "Pleural Effusion",
        "Fluid in the pleural space of any amount, blunted angles and fissural fluid included.",
        True,
    ),
    Finding(
        "Pleural Other",
        "Pleural Other",
        "Another pleural change: loculated effusion, marked thickening, change after drainage; not mild or apical thickening.",
        True,
    ),
    Finding(
        "Lung Opacity",
        "Lung Opacity",
        "An opacity, infiltrate, airspace disease or consolidation; not one explained by a scar or by low volumes, nor atelectasis alone.",
        True,
    ),
    Finding("Pneumonia", "Pneumonia", "Pneumonia, early, possible or superimposed included; not aspiration, nor what has cleared.", True),
    Finding("Pneumothorax", "Pneumothorax", "Air in the pleural space or collapse of lung from it.", True),
    Finding(
        "Support Devices",
        "Support Devices",
        "Any line, tube, drain, pacemaker, clip, wire, stent, valve or fixation now in place; not what was removed.",
        True,
    ),
    Finding("Emphysema", "emphysema", "Emphysema, obstructive lung disease, hyperinflation, air trapping or bullae.", False),
    Finding(
        "Interstitial Lung Disease",
        "interstitial lung disease",
        "An interstitial abnormality: increased interstitial markings, interstitial oedema or chronic interstitial disease.",
        False,
    ),
    Finding(
        "Calcification",
        "calcification(lung and mediastinal)",
        "Calcification of lung or mediastinum: granulomas, nodes, the aorta, coronary arteries or valves.",
        False,
    ),
    Finding(
        "Trachea and Bronchus",
        "Trachea and bronchus",
        "A lesion of trachea or bronchi, bronchiectasis included; not the position of a tube, nor air bronchograms.",
        False,
    ),
    Finding("Cavity and Cyst", "cavity and cyst", "A cavity or cyst of the lung.", False),
    Finding(
        "Mediastinal Other", "mediastinal other", "Another mediastinal change: widening, mass, shift, free air; not mediastinal fat.", False
    ),
    Finding(
        "Pulmonary Vascular Abnormal",
        "pulmonary vascular abnormal",
        "Congested, engorged or enlarged pulmonary vessels; not crowding, nor oedema alone, nor what has improved.",
        False,
    ),
)
"""The 21 findings in the paper's order."""

RAN_21: tuple[str, ...] = tuple(finding.name for finding in FINDINGS)
UNSURE = "unsure"
"""The flag of labels whose *No Finding* rests on a hedge, a question, or something abnormal that is none of the 21."""
NO_FINDING = "No Finding"
COMPARABLE_14: tuple[str, ...] = tuple(finding.name for finding in FINDINGS if finding.comparable)

CHEXPERT_14: tuple[str, ...] = (
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
    "No Finding",
)
"""CheXpert's observations in the order of the CheXbert heads. No Finding differs from the paper's: a device does not count against it."""

CHEXPERT_5: tuple[str, ...] = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")
"""The five that CheXpert's competition scored."""

VOCABULARIES: dict[str, tuple[str, ...]] = {"ran-21": RAN_21, "chexpert-14": CHEXPERT_14}


def by_spelling() -> dict[str, str]:
    """Every accepted spelling of a finding's column, in lower case, to its name."""
    table = {finding.name.lower(): finding.name for finding in FINDINGS}
    table.update({finding.column.lower(): finding.name for finding in FINDINGS})
    return table
