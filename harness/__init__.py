"""Ran Score for chest X-ray report generators: the harness. What users import is in `ranscore`."""
