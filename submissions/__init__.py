"""The door: how a stranger's reports come in, are kept, scored once and listed."""
