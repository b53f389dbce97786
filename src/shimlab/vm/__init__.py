"""The lab inside a virtual machine, with a kernel of its own."""
