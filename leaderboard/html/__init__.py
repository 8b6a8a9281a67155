"""Markup that escapes, the frame of every page, addresses."""
