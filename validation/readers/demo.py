"""A synthetic study with six simulated readers of known quality, so that every command and page can be seen in a minute."""

from __future__ import annotations

import numpy as np

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.config.home import home
from harness.extractors import extractor
from harness.records.store import Store
from harness.storage import files
from validation.readers import create, folder, page, simulated, texts
from validation.readers.folder import Folder

NAME = "demo"


def make(items: int = 300, seed: int = 0) -> Folder:
    """Make the study where it is not there yet; its cohort is `synthetic-readers` in the user's folder.

    Args:
        items: Reports that each reader reads.
        seed: The seed of the cohort, the draw and the readers' errors.

    Returns:
        The study's folder, with a submitted sheet of every reader.
    """
    name = NAME if (items, seed) == (300, 0) else f"{NAME}-{items}-{seed}"
    place = folder.place(name)
    if (place.path / "study.json").is_file():
        return place
    made = build(max(2 * items, 100), seed)
    cohort_name = f"synthetic-readers-{len(made.scored)}-{seed}"
    cohort = cohorts.make(
        cohort_name,
        made.manifest.studies,
        made.texts,
        section=made.manifest.section,
        access=made.manifest.access,
        language=made.manifest.language,
        source=made.manifest.source,
        labels=made.labels,
    )
    cohorts.save(cohort, home() / "cohorts" / cohort_name)
    plan = create.ReadingPlan(items=items, how="rare", decided_by="nobody: a demonstration with simulated readers")
    study = create.study(cohort, plan, seed=str(seed), salt=f"{seed:064x}", extractor=extractor("lexical"))
    place.freeze(study)
    loaded = texts.load(study, Store(home() / "store"))
    for number, reader in enumerate(study.readers):
        files.write(place.path / "forms" / f"{name}.{reader}.html", page.document(page.of_reader(name, study, reader, loaded)))
        rng = np.random.default_rng([seed, number])
        place.take(simulated.sheet(study, reader, cohort.labels, simulated.SIX[number], rng))
    return place
