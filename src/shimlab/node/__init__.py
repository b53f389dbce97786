"""One node from within: commands, processes, sockets, its journal, its kubelet, what is broken on purpose."""
