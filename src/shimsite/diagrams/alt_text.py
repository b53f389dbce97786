"""A picture in sentences: what it shows, for whoever does not see it. Made from the same record, by the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from shimsite.diagrams import layout
from shimsite.diagrams.chain import Chain, Socket, is_same

#: The sentences. As in words.py they name nothing but what the record says, which comes for `{…}`.
SENTENCES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Who calls whom on a node with {runtime}",
        "map": "A small map of the same. Each step says in words what it lights up here.",
        "node": "{node} is a node with {runtime}: its kubelet is {kubelet} and reports {reported}.",
        "self": "{asker} listens at {path} itself: {inside}, a part of it, serves CRI {cri} there. {asker} is "
        "connected to it and calls it over gRPC, out of its own process and back into it.",
        "cri": "{server} listens at {path} and serves CRI {cri}. {caller} is connected there and calls CRI over gRPC.",
        "docker": "{server} listens at {path}. {caller} is connected there and calls the Docker API over HTTP.",
        "containerd": "{server} listens at {path}. {caller} is connected there and calls its API over gRPC.",
        "shim": "{server} listens at {path}, each at a path of its own. {caller} is connected there and speaks ttrpc.",
        "too": "{others} listens at {path} too.",
        "aside": "{others} is connected to {path} too: a connection only, no call of the chain goes that way.",
        "idle": "{others} has no part in it.",
        "shims": "{starter} keeps the containers in the namespace {namespace}. The number of shims is {shims}; each is "
        "{shim}, and its parent is {first}, process 1.",
        "sandbox": "{name} is the sandbox; its parent is {shim}. {runc} set it up and is gone.",
        "container": "{name} is the container; its parent is {shim}. {runc} set it up and is gone.",
    },
    "zh": {
        "title": "使用 {runtime} 的节点上，谁调用谁",
        "map": "同一张图的缩略图。每一步点亮哪些部分，步骤的文字里都有。",
        "node": "{node} 是使用 {runtime} 的节点，kubelet 是 {kubelet}，它报告的运行时是 {reported}。",
        "self": "{asker} 自己在 {path} 上监听：它的一部分 {inside} 在那里提供 CRI {cri}。{asker} 连着这个套接字，"
        "通过 gRPC 调用它，请求从自己的进程出去，又回到自己的进程。",
        "cri": "{server} 在 {path} 上监听，提供 CRI {cri}。{caller} 连着这个套接字，通过 gRPC 调用 CRI。",
        "docker": "{server} 在 {path} 上监听。{caller} 连着这个套接字，通过 HTTP 调用 Docker API。",
        "containerd": "{server} 在 {path} 上监听。{caller} 连着这个套接字，通过 gRPC 调用它的 API。",
        "shim": "{server} 在 {path} 上监听，每个各有一个路径。{caller} 连着它们，用的是 ttrpc。",
        "too": "{others} 也在 {path} 上监听。",
        "aside": "{others} 也连着 {path}：只是连着，链上的调用不走这里。",
        "idle": "{others} 没有参与。",
        "shims": "{starter} 把容器放在命名空间 {namespace} 里。垫片的数量是 {shims}；每个都是 {shim}，"
        "父进程是 {first}，即 1 号进程。",
        "sandbox": "{name} 是沙箱，父进程是 {shim}。布置它的 {runc} 已经退出。",
        "container": "{name} 是容器，父进程是 {shim}。布置它的 {runc} 已经退出。",
    },
}
AND = {"en": " and ", "zh": "、"}
#: How a part of a program is named where it does the calling.
PART = {"en": "{inside}, inside {asker},", "zh": "{asker} 里的 {inside}"}


def title(chain: Chain, lang: str) -> str:
    """Say what the picture is of."""
    return SENTENCES[lang]["title"].format(runtime=chain.runtime)


def sentences(chain: Chain, lang: str) -> list[str]:
    """Say all that the picture shows, from top to bottom."""
    return [SENTENCES[lang][sentence].format(**names) for sentence, names in _told(chain, lang)]


def description(chain: Chain, lang: str) -> str:
    """Say it in one text."""
    return (" " if lang == "en" else "").join(sentences(chain, lang))


def _told(chain: Chain, lang: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    starter, of = chain.programs[-2], chain.processes[0]
    yield "node", vars(chain)
    for socket in chain.sockets:
        yield from _socket(chain, socket, lang)
    names = {"starter": starter, "shims": chain.shims, "first": of.parents[-1], **vars(of)}
    yield "shims", names
    for each in chain.pod:
        yield each.of, {**vars(each), "runc": layout.runtime_of(each)}


def _socket(chain: Chain, socket: Socket, lang: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Tell of a socket: who listens, who calls, who only listens too or is only connected."""
    asker, *servers = chain.programs
    is_first = socket is chain.sockets[0]
    server = (
        asker if is_first and chain.inside else next(name for name in servers if chain.at(name) is socket)
    )
    caller = chain.programs[max(chain.programs.index(server) - 1, 0)]
    named = (
        PART[lang].format(inside=chain.inside, asker=asker) if chain.inside and caller == asker else caller
    )
    spoken = "self" if server == asker else "cri" if is_first else layout.spoken(server)
    names = {**vars(chain), **vars(socket), "asker": asker, "inside": chain.inside, "server": server}
    yield spoken, {**names, "caller": named}
    if also := _others(socket.listens, (server, asker)):
        yield "too", {**names, "others": AND[lang].join(also)}
    if aside := _others(socket.connected, (caller, *([asker] if is_first else []))):
        yield "aside", {**names, "others": AND[lang].join(aside)}
        if idle := _others(aside, chain.programs):
            yield "idle", {**names, "others": AND[lang].join(idle)}


def _others(names: Iterable[str], programs: Iterable[str]) -> list[str]:
    """Keep those of the kernel's names that mean none of the programs."""
    known = tuple(programs)
    return [name for name in names if not any(is_same(program, name) for program in known)]
