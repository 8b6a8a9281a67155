"""Is the instrument right? Reference standards by readers, and what is measured against them."""
