"""Checks of sources and of the built site, as functions of a folder that tell what is wrong, a line each."""
