"""Intervals, paired tests, resampling and agreement."""
