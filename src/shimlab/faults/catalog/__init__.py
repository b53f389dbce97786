"""The faults that there are, by what they break."""
