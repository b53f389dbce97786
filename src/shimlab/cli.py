"""The command `shimlab`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import shimlab
from shimlab.errors import LabError

NOTHING_LEFT = "nothing half-made is left"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors the user can mend are two lines and status 1, Ctrl-C is status 130."""
    signal.signal(signal.SIGTERM, _interrupt)
    arguments = parser().parse_args(argv)
    try:
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
    from shimlab.cri import command as cri
    from shimlab.lab import release, runtimes

    top = argparse.ArgumentParser(prog="shimlab", description=shimlab.__doc__)
    top.add_argument("--version", action="version", version=f"shimlab {shimlab.__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    up = commands.add_parser(
        "up", help="make the machine ready, build the node image once, create the cluster"
    )
    up.add_argument(
        "--release", default=release.DEFAULT, help="a folder of lab/node/kubernetes (%(default)s)"
    )
    up.add_argument(
        "--keep", action="store_true", help="keep the stages of the image build, for building again"
    )
    up.set_defaults(run=_up)

    down = commands.add_parser(
        "down", help="remove the cluster, its network and volumes; stop the engine if ours"
    )
    down.add_argument("--all", action="store_true", help="the node image and the caches as well")
    down.add_argument("--check", action="store_true", help="look for leftovers afterwards; any is an error")
    down.set_defaults(run=_down)

    status = commands.add_parser("status", help="nodes and their runtimes, as the API server sees them")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)

    doctor = commands.add_parser("doctor", help="what can stop the lab on this machine, each with its fix")
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.set_defaults(run=_doctor)

    node = commands.add_parser("node", help="work on one node").add_subparsers(
        required=True, metavar="ACTION"
    )
    execute = node.add_parser("exec", help="run a command in a node")
    execute.add_argument("node")
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    execute.set_defaults(run=_exec)
    for runtime in runtimes.RUNTIMES:
        move = node.add_parser(
            runtime, help=f"move a node to {runtime}, live: drain, switch, verify, let pods in"
        )
        move.add_argument("node")
        move.add_argument(
            "--force", action="store_true", help="also end pods that nobody makes again elsewhere"
        )
        move.set_defaults(run=_switch, runtime=runtime)

    env = commands.add_parser("env", help='print what a shell needs to reach the lab: eval "$(shimlab env)"')
    env.add_argument("--json", action="store_true", help="for programs")
    env.set_defaults(run=_env)

    cri.add_parser(commands)
    return top


def _up(arguments: argparse.Namespace) -> None:
    from shimlab.lab.up import up

    up(arguments.release, keep=arguments.keep)
    _status(argparse.Namespace(json=False))


def _down(arguments: argparse.Namespace) -> None:
    from shimlab.lab import leftovers
    from shimlab.lab.up import down

    down(everything=arguments.all)
    if arguments.check and (left := leftovers.found()):
        raise LabError(
            f"left behind: {', '.join(left)}", "report this; `docker rm`, `umount` or `kill` removes it"
        )


def _status(arguments: argparse.Namespace) -> int:
    from shimlab.lab import cluster

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
    return 0 if all(n.ready and n.as_asked for n in found) else 1


def _doctor(arguments: argparse.Namespace) -> int:
    from shimlab.lab import doctor

    found = doctor.examine()
    if arguments.json:
        print(doctor.as_json(found))
    else:
        # no-color.org: what the variable holds does not matter.
        print(doctor.as_text(found, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))
    return 1 if doctor.stops(found) else 0


def _exec(arguments: argparse.Namespace) -> int:
    from shimlab.lab import cluster, engine

    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise LabError("no command to run", f"shimlab node exec {arguments.node} -- ps -e")
    if arguments.node not in cluster.nodes():
        raise LabError(
            f"the lab has no node {arguments.node}", f"choose one of: {', '.join(cluster.nodes())}"
        )
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    return subprocess.run(
        ["docker", "exec", "--interactive", *terminal, arguments.node, *command],
        env={**os.environ, **engine.current().environment},
        check=False,
    ).returncode


def _switch(arguments: argparse.Namespace) -> None:
    from shimlab import evidence
    from shimlab.lab.switch import switch

    witnesses = switch(arguments.node, arguments.runtime, force=arguments.force)
    rows = [(witness.way, witness.runtime, witness.seen) for witness in witnesses]
    print(evidence.table(("WAY", "RUNTIME", "SEEN"), rows))


def _env(arguments: argparse.Namespace) -> None:
    from shimlab.lab.environment import environment

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
