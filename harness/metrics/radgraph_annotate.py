"""Run by another interpreter, one that has the package `radgraph`: texts on standard input, annotations on standard output."""

import json
import os
import sys


def main() -> None:
    """Read `{"model", "texts"}`, write one annotation a text, in order."""
    asked = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")  # the package prints on standard output
    os.dup2(2, 1)
    from radgraph import RadGraph  # type: ignore[import-not-found]

    found = RadGraph(model_type=asked["model"])(asked["texts"])
    json.dump([{"entities": found[str(place)]["entities"]} for place in range(len(asked["texts"]))], answers)
    answers.close()


if __name__ == "__main__":
    main()
