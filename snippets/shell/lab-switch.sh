shimlab node containerd shimlab-worker2
shimlab node dockershim shimlab-worker2
