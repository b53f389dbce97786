"""Notebooks as pages: split by language, rendered, and copied for readers' Jupyter."""
