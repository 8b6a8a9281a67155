"""The data sets of a board on the Hub."""
