"""One file a page: pure functions from data to HTML, for the running page and the static site alike."""
