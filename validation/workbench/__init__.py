"""Revise the questions of a pack: draft, ask again what changed, compare with the readers, freeze."""
