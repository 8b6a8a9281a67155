"""Every system that can run on a cohort, scored and ranked."""
