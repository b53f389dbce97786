"""What the search of the site is made of; it runs in the reader's browser (overrides/assets/javascripts/search)."""
