"""The machine below the lab: its packages, the Docker engine, kind."""
