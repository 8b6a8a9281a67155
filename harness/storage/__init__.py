"""How this program reads and writes its own files, and what it prints meanwhile: notes about damage, and progress."""
