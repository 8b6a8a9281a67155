"""A language model as extractor: frozen questions, a client, a parser."""
