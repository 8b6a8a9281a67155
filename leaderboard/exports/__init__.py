"""The board as CSV, Markdown, LaTeX, JSON, SVG, BibTeX and YAML."""
