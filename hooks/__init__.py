"""What this site adds to MkDocs: facts, notebooks in two languages, parity, the root of the site."""
