"""A report generator as a program for `ranscore generate command`: put your own model into `Model`.

It is started once, in its own environment. It reads one JSON object a line from standard input and answers each with one line on
standard output. Nothing else may be printed there: what your libraries print goes to standard error.
"""

from __future__ import annotations

import json
import sys
from typing import Any


class Model:
    """Your model: load the weights here, once."""

    def __init__(self) -> None:
        from PIL import Image

        self.open = Image.open

    def write(self, study: dict[str, Any]) -> str:
        """The report of one study.

        Args:
            study: `study_id`, and what `--set needs=...` names: `frontal` and `lateral` are paths of films, the rest is text. What a study
                does not have is empty or null.
        """
        with self.open(study["frontal"]) as film:
            values = film.convert("L").resize((8, 8)).tobytes()
        brightness = sum(values) / len(values)
        lungs = "The lungs are clear." if brightness < 110 else "There is a diffuse opacity in both lungs."
        asked = f" Indication: {study['indication']}." if study.get("indication") else ""
        return f"{lungs} No pleural effusion or pneumothorax.{asked}"


def main() -> None:
    """Answer every line in order, and flush, so that nothing is lost if the program is stopped."""
    answers, sys.stdout = sys.stdout, sys.stderr
    model = Model()
    for line in sys.stdin:
        study = json.loads(line)
        try:
            answer = {"study_id": study["study_id"], "report": model.write(study)}
        except Exception as error:  # this study fails, and the next one is read
            print(f"{study['study_id']}: {type(error).__name__}", file=sys.stderr)
            answer = {"study_id": study["study_id"], "failure": type(error).__name__}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
