"""The command ``shimlab cri``: what crictl would show, asked over CRI itself."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from shimlab.clients.cri.client import CriClient
from shimlab.clients.cri.messages import Container, Image, Info, Pod, Version
from shimlab.clients.cri.protos import NEWEST_FIRST
from shimlab.commands import words
from shimlab.evidence.text import table

SHORT_ID = 13


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add ``cri`` to the command line; its ``run`` default is what to call."""
    parser = subparsers.add_parser(
        "cri",
        help="ask a node's runtime over CRI",
        description="Ask a node's container runtime over CRI, as the kubelet does.",
    )
    parser.add_argument("node", metavar="NODE", help="a node of the lab; `shimlab status` lists them")
    parser.add_argument("what", choices=sorted(_ASK), help="what to ask for")
    parser.add_argument(
        "--socket",
        type=words.socket,
        metavar="PATH",
        help="the socket to ask (default: the kubelet's own)",
    )
    parser.add_argument(
        "--api", choices=NEWEST_FIRST, help="CRI version (default: the newest that is answered)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Ask, print and return the exit status.

    Raises:
        LabError: the lab has no such node, it does not run, or the socket or the service is not there.
    """
    from shimlab.cluster import status

    status.refuse_halted(args.node)
    with CriClient(args.node, args.socket, args.api) as client:
        answer, text = _ASK[args.what](client)
    print(json.dumps(answer, indent=2, ensure_ascii=False) if args.json else text)
    return 0


def version_table(version: Version) -> str:
    """Lay out the answer to ``Version`` with the names of CRI's own fields."""
    rows = [
        ("CRI", version.api),
        ("RuntimeName", version.runtime_name),
        ("RuntimeVersion", version.runtime_version),
        ("RuntimeApiVersion", version.runtime_api_version),
    ]
    return table(("FIELD", "VALUE"), rows)


def pods_table(pods: Sequence[Pod]) -> str:
    """Lay out sandboxes."""
    rows = [
        (pod.namespace, pod.name, pod.state, str(pod.attempt), short(pod.id), _when(pod.created_ns))
        for pod in pods
    ]
    return table(("NAMESPACE", "POD", "STATE", "ATTEMPT", "ID", "CREATED"), rows)


def containers_table(containers: Sequence[Container], images: Sequence[Image]) -> str:
    """Lay out containers, with the tag of an image where the runtime only reports its id."""
    tags = {image.id: image.tags[0] for image in images if image.tags}
    rows = [
        (
            c.namespace,
            c.pod,
            c.name,
            c.state,
            str(c.attempt),
            short(c.id),
            tags.get(c.image_ref) or tags.get(c.image) or c.image,
        )
        for c in containers
    ]
    return table(("NAMESPACE", "POD", "CONTAINER", "STATE", "ATTEMPT", "ID", "IMAGE"), rows)


def images_table(images: Sequence[Image]) -> str:
    """Lay out images, a line for each tag."""
    rows = [
        (tag, short(image.id), f"{image.bytes / 1e6:.1f} MB")
        for image in images
        for tag in image.tags or ("<none>",)
    ]
    return table(("IMAGE", "ID", "SIZE"), rows)


def info_table(info: Info) -> str:
    """Lay out the runtime's conditions; ``--json`` has its own details as well."""
    rows = [(c.type, str(c.status).lower(), c.reason, c.message) for c in info.conditions]
    return table(("CONDITION", "STATUS", "REASON", "MESSAGE"), rows)


def short(identifier: str) -> str:
    """Shorten an id for a table, without the name of its hash."""
    return identifier.removeprefix("sha256:")[:SHORT_ID]


def _when(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _info_json(info: Info) -> dict[str, Any]:
    """Open up the details: a runtime sends each as a string that holds JSON."""
    details: dict[str, Any] = {}
    for key, value in info.details.items():
        try:
            details[key] = json.loads(value)
        except ValueError:
            details[key] = value
    return {"conditions": [dataclasses.asdict(c) for c in info.conditions], "details": details}


def _version(client: CriClient) -> tuple[object, str]:
    version = client.version()
    return dataclasses.asdict(version), version_table(version)


def _pods(client: CriClient) -> tuple[object, str]:
    pods = client.pods()
    return [dataclasses.asdict(pod) for pod in pods], pods_table(pods)


def _containers(client: CriClient) -> tuple[object, str]:
    containers = client.containers()
    return [dataclasses.asdict(c) for c in containers], containers_table(containers, client.images())


def _images(client: CriClient) -> tuple[object, str]:
    images = client.images()
    return [dataclasses.asdict(image) for image in images], images_table(images)


def _info(client: CriClient) -> tuple[object, str]:
    info = client.info()
    return _info_json(info), info_table(info)


_ASK: dict[str, Callable[[CriClient], tuple[object, str]]] = {
    "version": _version,
    "pods": _pods,
    "containers": _containers,
    "images": _images,
    "info": _info,
}
