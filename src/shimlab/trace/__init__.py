"""Record which calls the programs of a node make to each other while something happens.

    with trace.of("shimlab-worker2") as traced:
        …                                # start a pod
    evidence.listing(traced.of_pod(uid))  # the calls that it took, in the order in which they were made

The kubelet writes down its CRI calls, dockerd the requests that come to its socket, containerd its events; each in its
own words and by its own clock. Unlike shimlab.evidence, a trace changes something: how much the kubelet and dockerd
write. Both are set back when the block ends, and neither is restarted.
"""

from shimlab.trace.calls import Call
from shimlab.trace.trace import Trace, of

__all__ = ["Call", "Trace", "of"]
