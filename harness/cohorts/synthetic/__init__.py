"""A cohort whose labels are known by construction."""
