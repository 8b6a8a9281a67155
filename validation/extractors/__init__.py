"""How wrong is an extractor? Its labels against a frozen standard of readers, as tables and as a file without text."""
