"""Stands in for the openai package where a script of the authors is run: writes down what it is asked, and answers 0."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace


class OpenAI:
    """A client that reaches nobody."""

    def __init__(self, **_: object) -> None:
        self.chat = SimpleNamespace(completions=self)

    def create(self, **asked: object) -> SimpleNamespace:
        with open(os.environ["RECORDED"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(asked) + "\n")
        message = SimpleNamespace(content="0")
        return SimpleNamespace(choices=[SimpleNamespace(message=message)])
