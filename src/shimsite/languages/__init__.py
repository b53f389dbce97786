"""Two languages: what a page says in each, held against the other."""
