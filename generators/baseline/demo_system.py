"""The trained baseline as a system of the synthetic board: draws films, trains a model, writes reports."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from generators.baseline import trained
from generators.baseline.sentences import written
from generators.running.inputs import film
from harness.cohorts.synthetic.cohort import invent, labels
from harness.cohorts.synthetic.films import draw, orders
from harness.cohorts.synthetic.systems import SyntheticSystem
from harness.storage.progress import progress
from harness.types import Cohort, Role


@dataclass(frozen=True, slots=True)
class DemoSystem:
    """Makes the system of a synthetic cohort; films are drawn and the model is trained where they are not there yet."""

    films: Path
    models: Path
    """Folder of the trained models, one a cohort."""
    seed: int = 0
    system_name: str = trained.SYSTEM.name

    def __call__(self, cohort: Cohort) -> SyntheticSystem:
        """Draw, train, look, write."""
        model = trained.load(self.model(cohort))
        self._draw(cohort)
        here = replace(cohort, images=self.films)
        paths = {study.id: film(here, study, study.frontal) for study in here.scored}
        seen = {name: model.findings(trained.pixels(path)[None])[0] for name, path in paths.items() if path is not None}
        reports = {name: written(findings, cohort.manifest.language) for name, findings in seen.items()}
        return SyntheticSystem(self.system_name, Role.SYSTEM, {name: labels(found) for name, found in seen.items()}, reports)

    def model(self, cohort: Cohort) -> Path:
        """The path of the model of this cohort; trains the model if the file does not exist yet."""
        path = self.models / f"{cohort.manifest.digest}.npz"
        if not path.is_file():
            self._draw(cohort)
            trained.train(replace(cohort, images=self.films)).save(path)
        return path

    def _draw(self, cohort: Cohort) -> None:
        """Draw the frontal films of the train and test parts."""
        sizes = {part: sum(study.part == part for study in cohort.manifest.studies) for part in ("train", "test")}
        cases = [case for part, size in sizes.items() for case in invent(part, size, self.seed)]
        wanted = [order for order in orders(cases, self.films, self.seed) if not order[1] and not order[0].is_file()]
        with ThreadPoolExecutor() as pool:
            for _ in progress(pool.map(draw, wanted), "Drawing films to train on", len(wanted), unit="film"):
                pass
