shimlab node kubelet shimlab-worker2 v1.20.15-dockerless || true
shimlab node kubelet shimlab-worker2 v1.20.15
