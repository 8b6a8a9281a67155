"""Tokens and n-grams that the text metrics share."""
