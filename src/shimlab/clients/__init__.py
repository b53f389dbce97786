"""Ways to whoever answers: the API server, dockerd, containerd, a runtime over CRI."""
