"""`./run tests`: everything that is checked, in lanes that run side by side as far as cores and memory go."""
