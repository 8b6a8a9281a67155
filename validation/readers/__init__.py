"""Studies in which people read reports blind: draw, sheets, hand-ins, agreement, and the standard that follows from them."""
