shimlab break cri-socket-swapped shimlab-worker2
shimlab repair
