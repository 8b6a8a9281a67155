"""Generators that run elsewhere: a saved file, a command, a server, a model of the Hub."""
