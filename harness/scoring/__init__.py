"""From reports and references to scores."""
