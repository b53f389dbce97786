"""A node goes to another runtime or to another release of the kubelet."""
