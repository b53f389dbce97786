"""Facts and proofs as data: models, loading, releases, outcomes. Pure, and shared by the site and the lab."""
