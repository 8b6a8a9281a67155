"""R2GenGPT."""
