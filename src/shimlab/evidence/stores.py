"""The containers and images of a node, store by store: dockerd's, and each namespace of containerd's.

Both daemons are asked themselves, past the kubelet and past CRI. dockerd's containers run in containerd's namespace
``moby``; its images, up to Docker 20.10, are in a store of its own under /var/lib/docker, and ``moby`` has none.
Sources of the labels: Kubernetes v1.20.15, pkg/kubelet/dockershim/docker_service.go and pkg/kubelet/types/labels.go;
containerd v1.6.20, pkg/cri/server/helpers.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from shimlab.clients import docker
from shimlab.clients.containerd import Containerd
from shimlab.node.probe import Run

DOCKERS = "moby"
CRIS = "k8s.io"
_KIND = ("io.cri-containerd.kind", "io.kubernetes.docker.type")
_SANDBOX = {"sandbox", "podsandbox"}


@dataclass(frozen=True, order=True)
class StoredContainer:
    """A container in a store: ``moby`` is dockerd's, ``k8s.io`` the CRI plugin's.

    ``kind`` is sandbox or container, and empty for one that nobody made for Kubernetes. ``pid`` is that of its first
    process, 0 if it has none; ``state`` is created, running, paused, exited, …, in the words of the daemon that holds
    it.
    """

    columns: ClassVar = ("store", "pod_namespace", "pod", "kind", "name", "id", "state")

    store: str
    pod_namespace: str
    pod: str
    kind: str
    name: str
    id: str
    pod_uid: str
    image: str
    pid: int
    state: str
    runtime: str
    created: datetime


@dataclass(frozen=True, order=True)
class StoredImage:
    """An image in a store: ``docker`` is dockerd's own, otherwise a namespace of containerd.

    ``id`` is the digest of its configuration, the same wherever it lies; ``digest`` that of its manifest, which
    Docker has only of what it pulled or pushed. ``bytes``: Docker tells the unpacked size, containerd that of the
    layers as they came, packed or not.
    """

    store: str
    names: tuple[str, ...]
    id: str
    digest: str
    bytes: int


def stored_containers(node: str, *, run: Run | None = None) -> list[StoredContainer]:
    """List the containers of all stores of a node, stopped ones too.

    A dockerd that does not run is not asked, since the question would start it.

    Raises:
        LabError: the node or one of its daemons cannot be asked.
    """
    with ThreadPoolExecutor() as pool:
        dockers = pool.submit(_asked, node, "/containers/json?all=true", run)
        with Containerd(node) as asked:
            found = {name: (asked.containers(name), asked.tasks(name)) for name in asked.namespaces()}
        return sorted([*_of_containerd(found), *_of_docker(dockers.result(), *found.get(DOCKERS, ([], {})))])


def stored_images(node: str, *, run: Run | None = None) -> list[StoredImage]:
    """List the images of all stores of a node.

    A dockerd that does not run is not asked, since the question would start it.

    Raises:
        LabError: the node or one of its daemons cannot be asked.
    """
    with ThreadPoolExecutor() as pool:
        dockers = pool.submit(_asked, node, "/images/json", run)
        with Containerd(node) as asked:
            found = [image for name in asked.namespaces() for image in _images(asked, name)]
        return sorted([*found, *(_docker_image(each) for each in dockers.result())])


def _asked(node: str, path: str, run: Run | None) -> list[Any]:
    if not docker.runs(node, run=run):
        return []
    (answer,) = docker.get(node, path)
    return list(answer or [])


def _of_containerd(
    found: Mapping[str, tuple[list[Any], Mapping[str, tuple[int, str]]]],
) -> list[StoredContainer]:
    """Read the containers of all namespaces but dockerd's, which itself knows them better."""
    return [
        _container(
            store,
            each.id,
            dict(each.labels),
            each.image,
            tasks.get(each.id, (0, "exited")),
            each.runtime.name,
            each.created_at.seconds + each.created_at.nanos / 1e9,
        )
        for store, (containers, tasks) in found.items()
        if store != DOCKERS
        for each in containers
    ]


def _of_docker(
    answer: list[Any], containers: list[Any], tasks: Mapping[str, tuple[int, str]]
) -> list[StoredContainer]:
    """Put together what dockerd says of its containers and what containerd says of their processes.

    One that only containerd knows is listed without a name: dockerd is gone, or has lost it.
    """
    runtimes = {each.id: each for each in containers}
    known = [
        _container(
            DOCKERS,
            each["Id"],
            each.get("Labels") or {},
            each["Image"],
            (tasks.get(each["Id"], (0, ""))[0], each["State"]),
            runtimes[each["Id"]].runtime.name if each["Id"] in runtimes else "",
            each["Created"],
        )
        for each in answer
    ]
    lost = [
        _container(
            DOCKERS,
            each.id,
            {},
            each.image,
            tasks.get(each.id, (0, "exited")),
            each.runtime.name,
            each.created_at.seconds,
        )
        for each in containers
        if each.id not in {one.id for one in known}
    ]
    return known + lost


def _container(
    store: str,
    id: str,
    labels: Mapping[str, str],
    image: str,
    task: tuple[int, str],
    runtime: str,
    created: float,
) -> StoredContainer:
    kind = next((labels[label] for label in _KIND if label in labels), "")
    return StoredContainer(
        store=store,
        pod_namespace=labels.get("io.kubernetes.pod.namespace", ""),
        pod=labels.get("io.kubernetes.pod.name", ""),
        kind="sandbox" if kind in _SANDBOX else kind,
        name="" if kind in _SANDBOX else labels.get("io.kubernetes.container.name", ""),
        id=id,
        pod_uid=labels.get("io.kubernetes.pod.uid", ""),
        image=image,
        pid=task[0],
        state=task[1],
        runtime=runtime,
        created=datetime.fromtimestamp(created, UTC),
    )


def _images(asked: Containerd, store: str) -> list[StoredImage]:
    """Read a namespace's images; the CRI plugin gives each the name of its id too, which is no name of its own."""
    names: dict[str, list[str]] = {}
    for each in asked.images(store):
        names.setdefault(each.target.digest, []).append(each.name)
    found = []
    for digest, named in names.items():
        manifest = _manifest(asked, store, digest) or {}
        config = manifest.get("config") or {}
        size = int(config.get("size", 0)) + sum(int(layer["size"]) for layer in manifest.get("layers") or ())
        found.append(
            StoredImage(
                store,
                tuple(sorted(name for name in named if name != config.get("digest"))),
                config.get("digest", ""),
                digest,
                size,
            )
        )
    return found


def _manifest(asked: Containerd, store: str, digest: str) -> dict[str, Any] | None:
    """Return an image's manifest; of an index that of the platform which is there."""
    document = asked.document(store, digest)
    if document is None or "manifests" not in document:
        return document
    found = (asked.document(store, each["digest"]) for each in document["manifests"])
    return next((each for each in found if each is not None), None)


def _docker_image(each: Mapping[str, Any]) -> StoredImage:
    digests = sorted({digest.partition("@")[2] for digest in each.get("RepoDigests") or ()})
    names = tuple(sorted(name for name in each.get("RepoTags") or () if name != "<none>:<none>"))
    return StoredImage("docker", names, each["Id"], digests[0] if digests else "", int(each["Size"]))
