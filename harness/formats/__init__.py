"""Reading what users write: reports files and label files."""
