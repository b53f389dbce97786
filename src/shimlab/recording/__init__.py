"""Record what the programs of a node say to each other while something happens.

    with recording.of("shimlab-worker2") as tape:
        …                               # start a pod
    evidence.listing(tape.of_pod(uid))  # the calls that it took, in the order in which they were made

The kubelet writes down its CRI calls, dockerd the requests that come to its socket, containerd its events; each in its
own words and by its own clock. Unlike shimlab.evidence, a recording changes something: how much the kubelet and dockerd
write. Both are set back when the block ends, and neither is started again.
"""

from shimlab.recording.said import Said
from shimlab.recording.tape import Tape, of

__all__ = ["Said", "Tape", "of"]
