"""RGRG."""
