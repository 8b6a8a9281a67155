"""XrayGPT."""
