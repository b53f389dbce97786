"""The command ``shimlab node``: work on one node of the lab."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from shimlab import runtimes
from shimlab.errors import LabError

if TYPE_CHECKING:
    from shimlab.migrate import upgrade


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add ``node`` to the command line; the ``run`` default of each action is what to call."""
    parser = subparsers.add_parser("node", help="work on one node")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    execute = actions.add_parser("exec", help="run a command in a node")
    execute.add_argument("node", metavar="NODE")
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    execute.set_defaults(run=run_exec)

    for runtime in runtimes.RUNTIMES:
        migration = actions.add_parser(
            runtime, help=f"migrate a node to {runtime}, live: drain, migrate, verify, let pods in"
        )
        migration.add_argument("node", metavar="NODE")
        migration.add_argument(
            "--force", action="store_true", help="also end pods that nobody makes again elsewhere"
        )
        migration.set_defaults(run=run_migrate, runtime=runtime, keep_pods=False)
        if runtimes.RUNTIMES[runtime].shares_with(runtimes.DOCKERSHIM):
            migration.add_argument(
                "--keep-pods",
                action="store_true",
                help="do not drain: between the two dockershims no container needs to end",
            )

    kubelet = actions.add_parser(
        "kubelet", help="list the kubelets that lie on a node, or put one in use: its flags stay as they are"
    )
    kubelet.add_argument("node", metavar="NODE")
    kubelet.add_argument("version", metavar="VERSION", nargs="?", default="")
    kubelet.set_defaults(run=run_kubelet)
    for action, help_ in (
        ("upgrade", "put the next newer kubelet in use, as a package's upgrade does"),
        ("downgrade", "put the next older kubelet in use"),
    ):
        replace = actions.add_parser(action, help=f"{help_} (on `up --lab removed`)")
        replace.add_argument("node", metavar="NODE")
        replace.set_defaults(run=run_replace, action=action)
    return parser


def run_exec(arguments: argparse.Namespace) -> int:
    """Run a command in a node with this terminal, and hand its exit status on.

    Raises:
        LabError: there is no such node, or no command.
    """
    from shimlab.cluster import status
    from shimlab.machine import engine

    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise LabError("no command to run", f"shimlab node exec {arguments.node} -- ps -e")
    status.refuse_unknown(arguments.node)
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    return subprocess.run(
        ["docker", "exec", "--interactive", *terminal, arguments.node, *command],
        env={**os.environ, **engine.current().environment},
        check=False,
    ).returncode


def run_migrate(arguments: argparse.Namespace) -> None:
    """Migrate a node to another runtime, and print the witnesses.

    Raises:
        LabError: it cannot be migrated, or a step failed.
    """
    from shimlab import evidence
    from shimlab.migrate.migrate import migrate

    witnesses = migrate(
        arguments.node, arguments.runtime, force=arguments.force, keep_pods=arguments.keep_pods
    )
    rows = [(witness.way, witness.runtime, witness.seen) for witness in witnesses]
    print(evidence.table(("WAY", "RUNTIME", "SEEN"), rows))


def run_kubelet(arguments: argparse.Namespace) -> int:
    """List a node's kubelets, or put one in use and say how the node fares.

    Raises:
        LabError: there is no such node or kubelet.
    """
    from shimlab.migrate import kubelets, upgrade
    from shimlab.migrate.node_api import NodeApi

    if arguments.version:
        return _tell(upgrade.use(arguments.node, arguments.version))
    NodeApi(arguments.node)
    now = kubelets.in_use(arguments.node)
    for each in sorted({*kubelets.there(arguments.node), now}):
        print(f"{each.name} (in use)" if each == now else each.name)
    return 0


def run_replace(arguments: argparse.Namespace) -> int:
    """Upgrade or downgrade a node's kubelet, and say how the node fares.

    Raises:
        LabError: the node has no other release.
    """
    from shimlab.migrate import upgrade

    act = upgrade.upgrade if arguments.action == "upgrade" else upgrade.downgrade
    return _tell(act(arguments.node))


def _tell(outcome: upgrade.Outcome) -> int:
    """Print how a node ended; a kubelet that does not start is status 1, with the ways out of it."""
    from shimlab.migrate import upgrade

    print(outcome)
    if outcome.ready:
        return 0
    for way in upgrade.ways_out(outcome):
        print(f"  → {way}")
    return 1
