"""The commands that make, show and remove a lab: ``up``, ``build``, ``down``, ``status``, ``env``."""

from __future__ import annotations

import argparse
import json
import shlex
import sys

from shimlab.cluster import config
from shimlab.errors import LabError


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add them to the command line; their ``run`` defaults are what to call."""
    up = subparsers.add_parser(
        "up", help="make the machine ready, build the node image once, create the cluster"
    )
    chosen = up.add_mutually_exclusive_group()
    chosen.add_argument(
        "--lab",
        default=config.DEFAULT,
        metavar="|".join(config.names()),
        help="a file of lab/clusters (%(default)s)",
    )
    chosen.add_argument(
        "--image",
        default="",
        metavar="kindest/node:…",
        help="somebody else's node image instead: three nodes on its containerd",
    )
    up.add_argument(
        "--keep", action="store_true", help="keep the stages of the image build, for building again"
    )
    up.set_defaults(run=_up)

    build = subparsers.add_parser("build", help="build node images ahead of `up`, several labs' in one go")
    build.add_argument(
        "--lab",
        action="append",
        default=[],
        metavar="|".join(config.names()),
        help="the images of this lab alone; may be given again (without it, those of every release)",
    )
    build.add_argument("--keep", action="store_true", help="keep the stages of the build, for building again")
    build.set_defaults(run=_build)

    down = subparsers.add_parser(
        "down", help="remove the cluster, its network and volumes; stop the engine if ours"
    )
    down.add_argument("--all", action="store_true", help="the node image and the caches as well")
    down.add_argument("--check", action="store_true", help="look for leftovers afterwards; any is an error")
    down.set_defaults(run=_down)

    status = subparsers.add_parser("status", help="nodes and their runtimes, as the API server sees them")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)

    env = subparsers.add_parser(
        "env", help='print what a shell needs to reach the lab: eval "$(shimlab env)"'
    )
    env.add_argument("--json", action="store_true", help="for programs")
    env.set_defaults(run=_env)


def _up(arguments: argparse.Namespace) -> None:
    from shimlab.cluster.lifecycle import up

    up(arguments.lab, given=arguments.image, keep=arguments.keep)
    _status(argparse.Namespace(json=False))


def _build(arguments: argparse.Namespace) -> None:
    from shimlab.cluster.ahead import build

    build(arguments.lab, keep=arguments.keep)


def _down(arguments: argparse.Namespace) -> None:
    from shimlab.cluster import leftovers
    from shimlab.cluster.lifecycle import down

    down(everything=arguments.all)
    if arguments.check and (left := leftovers.found()):
        raise LabError(
            f"left behind: {', '.join(left)}", "report this; `docker rm`, `umount` or `kill` removes it"
        )


def _status(arguments: argparse.Namespace) -> int:
    from shimlab.cluster import status as cluster
    from shimlab.faults import inject

    found = cluster.status()
    if arguments.json:
        json.dump([vars(node) for node in found], sys.stdout, indent=2)
        print()
        return 0
    rows = [("NODE", "ASKED FOR", "RUNTIME", "KUBELET", "READY")]
    rows += [(n.name, n.asked, n.runtime, n.kubelet, "yes" if n.ready else "no") for n in found]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    broken = inject.broken()
    for node, record in broken:
        print(f"{node} is broken on purpose: {record.fault}; `shimlab repair` undoes it")
    return 0 if all(n.ready and n.as_asked for n in found) and not broken else 1


def _env(arguments: argparse.Namespace) -> None:
    from shimlab.cluster.environment import environment

    found = environment()
    if arguments.json:
        json.dump(found, sys.stdout)
        return
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")
