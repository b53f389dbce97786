"""The commands that pages show, run on the lab."""
