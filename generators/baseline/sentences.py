"""From findings to a report: one plain sentence for each, in English or Chinese."""

from __future__ import annotations

from collections.abc import Collection

from harness.errors import UsageError
from harness.findings import RAN_21

SENTENCES: dict[str, dict[str, str]] = {
    "en": {
        "Atelectasis": "There is atelectasis at the lung base.",
        "Cardiomegaly": "The heart is enlarged.",
        "Consolidation": "There is consolidation of the lung.",
        "Edema": "There is pulmonary edema.",
        "Enlarged Cardiomediastinum": "The cardiomediastinal silhouette is enlarged.",
        "Fracture": "There is a rib fracture.",
        "Lung Lesion": "There is a pulmonary nodule.",
        "Pleural Effusion": "There is a pleural effusion.",
        "Pleural Other": "There is marked pleural thickening.",
        "Lung Opacity": "There is a pulmonary opacity.",
        "Pneumonia": "The appearance is consistent with pneumonia.",
        "Pneumothorax": "There is a pneumothorax.",
        "Support Devices": "A central venous catheter is in place.",
        "Emphysema": "The lungs are emphysematous.",
        "Interstitial Lung Disease": "There is interstitial lung disease.",
        "Calcification": "There is a calcified granuloma.",
        "Trachea and Bronchus": "There is bronchiectasis.",
        "Cavity and Cyst": "There is a cavity in the lung.",
        "Mediastinal Other": "There is a mediastinal mass.",
        "Pulmonary Vascular Abnormal": "There is pulmonary vascular congestion.",
    },
    "zh": {
        "Atelectasis": "肺底可见肺不张。",
        "Cardiomegaly": "心影增大。",
        "Consolidation": "肺内可见实变影。",
        "Edema": "可见肺水肿。",
        "Enlarged Cardiomediastinum": "心脏纵隔影增宽。",
        "Fracture": "可见肋骨骨折。",
        "Lung Lesion": "肺内可见结节。",
        "Pleural Effusion": "可见胸腔积液。",
        "Pleural Other": "胸膜明显增厚。",
        "Lung Opacity": "肺内可见片状影。",
        "Pneumonia": "考虑肺炎。",
        "Pneumothorax": "可见气胸。",
        "Support Devices": "中心静脉导管在位。",
        "Emphysema": "肺气肿。",
        "Interstitial Lung Disease": "间质性肺病。",
        "Calcification": "可见钙化灶。",
        "Trachea and Bronchus": "支气管扩张。",
        "Cavity and Cyst": "肺内可见空洞。",
        "Mediastinal Other": "纵隔可见肿块。",
        "Pulmonary Vascular Abnormal": "肺血管充血。",
    },
}
NOTHING = {
    "en": "The lungs are clear. The heart and mediastinum are normal. No pleural effusion or pneumothorax.",
    "zh": "心肺未见异常。未见胸腔积液及气胸。",
}


def written(findings: Collection[str], language: str = "en") -> str:
    """A report that asserts these findings and no others.

    Raises:
        UsageError: There are no sentences in this language.
    """
    if language not in SENTENCES:
        raise UsageError(f"reports are written in {' or '.join(SENTENCES)}, not {language!r}")
    sentences = [SENTENCES[language][name] for name in RAN_21 if name in findings and name in SENTENCES[language]]
    joint = " " if language == "en" else ""
    return joint.join(sentences) if sentences else NOTHING[language]
