"""PromptMRG."""
