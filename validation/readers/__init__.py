"""Studies in which people read reports blind: draw, sheets, submissions, agreement, and the standard that follows from them."""
