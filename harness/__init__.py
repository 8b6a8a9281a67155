"""Ran Score for chest X-ray report generators: the harness."""
