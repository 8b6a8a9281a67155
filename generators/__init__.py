"""Generators of reports: floors and ceilings, the published baselines, served models."""
