"""The live page: wiring only."""
