"""How this program reads and writes its own files: what is stored, its shape, and notes about damage."""
