"""What tests of diagrams share: the record in the repository, as it is and changed, and the pictures drawn of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from shimsite import build
from shimsite.diagrams import alt_text, geometry, layout
from shimsite.diagrams import chain as record
from shimsite.diagrams.chain import Chain
from shimsite.diagrams.shapes import Picture

FILE = "notebooks/records/call-chain.json"
KEPT: dict[str, Any] = json.loads((build.ROOT / FILE).read_text("utf-8"))
RUNTIMES = tuple(KEPT)
LANGUAGES = ("en", "zh")
OUT_OF_TREE = "dockershim-out-of-tree"


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Give the record after a change."""
    data = copy.deepcopy(KEPT)
    change(data)
    return data


def out_of_tree(*, spoken: bool = False) -> dict[str, Any]:
    """Give a record of a node with dockershim out of the tree, as notebook 02 would keep it of the node of notebook 14.

    Made of the one of dockershim: the runtime's socket is that of a program of its own, by the kernel's short name of
    it, and that program is connected to dockerd. It writes nothing down of its calls, unless ``spoken``.
    """
    name, comm = OUT_OF_TREE, "dockershim-out-"
    chain = copy.deepcopy(KEPT["dockershim"])
    chain.update(node="shimlab-worker2", kubelet="v1.24.17")
    top, docker = chain["sockets"][:2]
    top.update(path=f"/run/{name}.sock", listens=comm)
    docker.update(connected=comm)
    if spoken:
        chain["steps"].insert(1, {**chain["steps"][0], "by": name})
    return {name: chain}


def chains(data: dict[str, Any] = KEPT) -> dict[str, Chain]:
    return record.read(data, FILE)


def drawn(chain: Chain, lang: str = "en", rows: geometry.Rows = geometry.FULL) -> Picture:
    told = (alt_text.title(chain, lang), alt_text.description(chain, lang))
    return layout.draw([chain], lang, [told], rows)[0]


def recorded(picture: Picture) -> list[str]:
    """List the pieces of a picture's text that are the record's."""
    return [piece for text in picture.texts() for piece, is_recorded in text.pieces if is_recorded]


def values(chain: Chain) -> set[str]:
    """List what a record says beside its steps, a program by the name that the picture has for it."""
    shim = chain.processes[0].shim
    found = {chain.runtime, chain.node, chain.kubelet, chain.reported, chain.cri, str(chain.shims)}
    for socket in chain.sockets:
        found |= {socket.path, *socket.listens, *socket.connected}
    for process in chain.processes:
        found |= {process.name, process.shim, process.namespace, *process.parents}
    # The kernel's short names of the shim and of who takes part are said in full.
    full = (shim, *chain.programs)
    return {name for name in found if not any(name != each and record.is_same(each, name) for each in full)}
