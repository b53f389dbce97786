"""Kubernetes' own tests of nodes and pods, run on the workers of the lab: a check that nobody here wrote."""
