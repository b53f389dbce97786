"""The command `shimlab`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence

import shimlab
from shimlab.errors import LabError

NOTHING_LEFT = "nothing half-made is left"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors the user can mend are two lines and status 1, Ctrl-C is status 130."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        arguments = parser().parse_args(argv)
        return int(arguments.run(arguments) or 0)
    except LabError as error:
        sys.stderr.write(f"shimlab: {error.what}\n  → {error.remedy}\n")
        return 1
    except KeyboardInterrupt as interrupt:
        sys.stderr.write(f"shimlab: interrupted; {interrupt.args[0] if interrupt.args else NOTHING_LEFT}\n")
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; so do we, without a complaint at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    from shimlab.cluster import config
    from shimlab.commands import conformance, cri, faults
    from shimlab.commands import node as node_command

    top = argparse.ArgumentParser(prog="shimlab", description=shimlab.__doc__)
    top.add_argument("--version", action="version", version=f"shimlab {shimlab.__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    up = commands.add_parser(
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

    build = commands.add_parser("build", help="build node images ahead of `up`, several labs' in one go")
    build.add_argument(
        "--lab",
        action="append",
        default=[],
        metavar="|".join(config.names()),
        help="the images of this lab alone; may be given again (without it, those of every release)",
    )
    build.add_argument("--keep", action="store_true", help="keep the stages of the build, for building again")
    build.set_defaults(run=_build)

    down = commands.add_parser(
        "down", help="remove the cluster, its network and volumes; stop the engine if ours"
    )
    down.add_argument("--all", action="store_true", help="the node image and the caches as well")
    down.add_argument("--check", action="store_true", help="look for leftovers afterwards; any is an error")
    down.set_defaults(run=_down)

    status = commands.add_parser("status", help="nodes and their runtimes, as the API server sees them")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)

    examine = commands.add_parser("doctor", help="what can stop the lab on this machine, each with its fix")
    examine.add_argument("--json", action="store_true", help="for programs")
    examine.set_defaults(run=_doctor)

    node_command.add_parser(commands)

    env = commands.add_parser("env", help='print what a shell needs to reach the lab: eval "$(shimlab env)"')
    env.add_argument("--json", action="store_true", help="for programs")
    env.set_defaults(run=_env)

    cri.add_parser(commands)
    faults.add_parser(commands)
    conformance.add_parser(commands)
    return top


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


def _doctor(arguments: argparse.Namespace) -> int:
    from shimlab.doctor import examine

    found = examine.examine()
    if arguments.json:
        print(examine.as_json(found))
    else:
        # no-color.org: what the variable holds does not matter.
        print(examine.as_text(found, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))
    return 1 if examine.stops(found) else 0


def _env(arguments: argparse.Namespace) -> None:
    from shimlab.cluster.environment import environment

    found = environment()
    if arguments.json:
        json.dump(found, sys.stdout)
        return
    import shlex

    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
