"""MAIRA-2."""
