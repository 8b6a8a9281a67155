"""Floors and ceilings: generators that look at no film."""
