"""The lab itself: the machine, its engine, the node image and the cluster."""
