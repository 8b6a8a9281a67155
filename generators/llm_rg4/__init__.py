"""LLM-RG4."""
