"""Labelling a whole corpus."""
