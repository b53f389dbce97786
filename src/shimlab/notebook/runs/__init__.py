"""Notebooks run on the live lab: recorded, and validated against what is recorded."""
