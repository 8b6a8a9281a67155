"""Uploaded films: read in a process of its own."""
