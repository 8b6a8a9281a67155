"""One metric, one extractor, one generator and one cohort for Ran Score."""
