"""What each metric sees: pairs of reports that differ by one edit, and what metrics make of them."""
