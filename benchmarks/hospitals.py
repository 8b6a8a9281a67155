"""How long the builders of second hospitals take, and how much memory, on generated tables of the released size.

Run as `python -m benchmarks.hospitals`: 223,000 reports of CheXpert Plus as CSV, 160,000 of ReXGradient as JSON Lines.
"""

from __future__ import annotations

import csv
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from harness.cohorts import hospitals

SENTENCES = (
    "The heart is enlarged.",
    "There is a small left pleural effusion.",
    "No pneumothorax.",
    "The lungs are clear.",
    "A line ends in the superior vena cava.",
)


def text(draw: random.Random) -> str:
    return " ".join(draw.choices(SENTENCES, k=draw.randrange(6, 16)))


def chexpert(path: Path, reports: int, draw: random.Random) -> None:
    release = hospitals.CHEXPERT_PLUS
    columns = [
        *release.needed,
        "section_history",
        "section_clinical_history",
        "section_technique",
        "section_comparison",
        "age",
        "sex",
        "report",
    ]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        for number in range(reports):
            patient, study = number // 3, number % 3 + 1
            row = {
                "path_to_image": f"train/patient{patient:05}/study{study}/view1_frontal.jpg",
                "frontal_lateral": "Frontal",
                "ap_pa": "AP",
                "deid_patient_id": f"patient{patient:05}",
                "patient_report_date_order": study,
                "section_findings": text(draw),
                "section_impression": text(draw),
                "split": "train",
                "age": 60,
                "sex": "Male",
            }
            writer.writerow(row | {"report": f"{row['section_findings']} {row['section_impression']}"})


def rexgradient(path: Path, reports: int, draw: random.Random) -> None:
    with path.open("w") as stream:
        for number in range(reports):
            row = {
                "id": f"p{number // 2}_a{number}",
                "StudyInstanceUid": f"1.2.{number}",
                "StudyDate": 20200101 + number % 2,
                "PatientAge": "050Y",
            }
            stream.write(
                json.dumps(row | {"PatientSex": "F", "Findings": text(draw), "Impression": text(draw), "Indication": "Cough"}) + "\n"
            )


def main() -> None:
    kind, place = sys.argv[1], Path(sys.argv[2])
    release = hospitals.CHEXPERT_PLUS if kind == "chexpert-plus" else hospitals.REXGRADIENT
    begun = time.perf_counter()
    made = hospitals.build(release, {"" if release.split else "train": place}, draw=3000)
    seconds = time.perf_counter() - begun
    print(
        f"{kind}: {len(made.scored):,} studies drawn in {seconds:.0f} s, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main()
    else:
        import subprocess

        with tempfile.TemporaryDirectory() as folder:
            for kind, make, count, name in (
                ("chexpert-plus", chexpert, 223_000, "df.csv"),
                ("rexgradient", rexgradient, 160_000, "train.jsonl"),
            ):
                make(Path(folder) / name, count, random.Random(1))
                size = (Path(folder) / name).stat().st_size / 1e6
                print(f"{kind}: {count:,} reports, {size:.0f} MB", flush=True)
                subprocess.run([sys.executable, "-m", "benchmarks.hospitals", kind, str(Path(folder) / name)], check=True)
