"""MIMIC-CXR from a PhysioNet copy."""
