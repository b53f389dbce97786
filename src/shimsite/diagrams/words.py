"""What stands beside the recorded names, in both languages. `{}` is where a recorded one comes."""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, str]

#: Which caption, and which sentence, tells what is spoken to a program at its own socket.
SPOKEN: Words = {"dockerd": "docker", "containerd": "containerd", "containerd-shim": "shim"}
#: On the pictures. They name no program, path, number or version but in `{}`: those are the record's.
CAPTIONS: Mapping[str, Words] = {
    "en": {
        "title": "Node with {}",
        "cri-version": "CRI {}",
        "too": "{} listens too",
        "cri": "CRI, gRPC",
        "docker": "Docker API, HTTP",
        "containerd": "{} API, gRPC",
        "shim": "ttrpc",
        "aside": "a connection only",
        "idle": "no part in it",
        "first": "process 1",
        "parent": "parent",
        "namespace": "namespace {}",
        "shims": "shims: {}",
        "gone": "{}: gone",
        "it": "{}",
        "sandbox": "the sandbox",
        "container": "the container",
    },
    "zh": {
        "title": "使用 {} 的节点",
        "cri-version": "CRI {}",
        "too": "{} 也在监听",
        "cri": "CRI，gRPC",
        "docker": "Docker API，HTTP",
        "containerd": "{} API，gRPC",
        "shim": "ttrpc",
        "aside": "只是连着",
        "idle": "没有参与",
        "first": "1 号进程",
        "parent": "父进程",
        "namespace": "命名空间 {}",
        "shims": "垫片：{}",
        "gone": "{}：已退出",
        "it": "{}",
        "sandbox": "沙箱",
        "container": "容器",
    },
}
