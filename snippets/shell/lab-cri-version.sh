shimlab cri shimlab-worker2 version
