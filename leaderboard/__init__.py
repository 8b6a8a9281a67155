"""The board: pure comparison and renderers, and the page that wires them."""
