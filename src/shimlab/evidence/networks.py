"""The network namespaces of a node: who is in each, where it is mounted, and what addresses it has.

Sources: namespaces(7); ip(8) of iproute2, ``ip -json address``, run inside each namespace with nsenter(1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shimlab.node import procfs as proc
from shimlab.node.probe import Run, on, sections, text
from shimlab.node.sockets import Owner

# dockerd mounts its namespaces below /run/docker/netns, CNI's users theirs below /run/netns. A namespace with neither a
# process nor a mount is gone.
SCRIPT = (
    proc.SCRIPT
    + r"""
section mounted stat -Lc '%i %n' /run/netns/* /run/docker/netns/*
{ stat -Lc '%i %n' /run/netns/* /run/docker/netns/*
  find /proc/[0-9]*/ns/net -printf '%l %p\n' | sed 's/^net:\[\([0-9]*\)]/\1/'
} 2>/dev/null | sort -nu -k1,1 | while read -r inode path; do
  section "addresses $inode" nsenter --net="$path" ip -json address
done
"""
)
_MOUNTED = re.compile(r"(\d+) (.*)")


@dataclass(frozen=True)
class Interface:
    """A network interface; ``peer_index`` is the number of a veth's other end, in the namespace where that one is."""

    name: str
    index: int
    mac: str
    addresses: tuple[str, ...]
    up: bool
    peer_index: int | None = None


@dataclass(frozen=True)
class NetworkNamespace:
    """A network namespace by its inode; ``nodes`` says whether it is process 1's, which hostNetwork pods share."""

    columns: ClassVar = ("inode", "nodes", "paths", "addresses", "owners")

    inode: int
    nodes: bool
    paths: tuple[str, ...]
    owners: tuple[Owner, ...]
    pod_uids: tuple[str, ...]
    interfaces: tuple[Interface, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return its addresses with their prefix lengths, but for those of loopback interfaces."""
        return tuple(address for each in self.interfaces if each.name != "lo" for address in each.addresses)


def network_namespaces(node: str, *, run: Run | None = None) -> list[NetworkNamespace]:
    """List the network namespaces of a node, its own first, in one round trip.

    Raises:
        LabError: the node cannot be asked.
    """
    return parse(sections(run or on(node), SCRIPT))


def parse(found: Mapping[str, bytes]) -> list[NetworkNamespace]:
    """Read the findings of the script."""
    everyone = proc.parse(found)
    paths: dict[int, list[str]] = {}
    for line in text(found["mounted"]).splitlines():
        if parts := _MOUNTED.fullmatch(line):
            paths.setdefault(int(parts[1]), []).append(parts[2])
    spaces = []
    for name, answer in found.items():
        if not name.startswith("addresses ") or not answer:
            continue
        inode = int(name.removeprefix("addresses "))
        inside = [each for each in everyone if each.namespaces.get("net") == inode]
        spaces.append(
            NetworkNamespace(
                inode=inode,
                nodes=any(each.pid == proc.INIT for each in inside),
                paths=tuple(sorted(paths.get(inode, ()))),
                owners=tuple(Owner(each.pid, each.comm) for each in inside),
                pod_uids=tuple(sorted({each.pod_uid for each in inside if each.pod_uid})),
                interfaces=tuple(_interface(each) for each in json.loads(answer)),
            )
        )
    return sorted(spaces, key=lambda each: (not each.nodes, each.inode))


def _interface(each: Mapping[str, Any]) -> Interface:
    return Interface(
        name=each["ifname"],
        index=each["ifindex"],
        mac=each.get("address", ""),
        addresses=tuple(
            f"{one['local']}/{one['prefixlen']}" for one in each.get("addr_info", ()) if "local" in one
        ),
        up="UP" in each.get("flags", ()),
        peer_index=each.get("link_index") if each.get("link_type") == "ether" else None,
    )
