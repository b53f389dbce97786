"""What tests of several folders share."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import evidence, outcomes

from shimfacts import proofs
from shimlab.cluster.export import kept
from shimlab.waiting import bound


def pytest_configure(config: pytest.Config) -> None:
    """Keep outcomes that are proofs and evidence of what fails; hear Ctrl-C also where a shell started us behind it.

    What ignores it there hands that down, and tests that interrupt a command would wait in vain.
    """
    root = config.rootpath
    config.pluginmanager.register(outcomes.Recorder(root, proofs.named(root)))
    if where := kept.folder():
        config.pluginmanager.register(evidence.Plugin(where))
        # What tests run, sessions and notebooks among it, is not this session.
        del os.environ[kept.FOLDER]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a slow machine give every test as many times its bound as a wait gets there (waiting.bound)."""
    if bound(1) == 1:
        return
    usual = float(config.getini("timeout"))
    for item in items:
        mark = item.get_closest_marker("timeout")
        item.add_marker(pytest.mark.timeout(bound(float(mark.args[0]) if mark else usual)), append=False)


@pytest.fixture(scope="module")
def core() -> Any:
    """The API of the lab that is up."""
    from shimlab.clients import kube

    return kube.core()


@pytest.fixture(scope="module")
def apps(core: Any) -> Any:
    """The part of the lab's API that knows Deployments and DaemonSets."""
    from kubernetes import client

    return client.AppsV1Api(core.api_client)


@pytest.fixture(scope="module")
def namespace(core: Any, apps: Any) -> Iterator[str]:
    """A namespace with pods that can go elsewhere, and one on each node that cannot."""
    from tests.support.workload import deployed

    with deployed(core, apps) as name:
        yield name


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter; pytest keeps its own folders to their owner."""
    with tempfile.TemporaryDirectory(prefix="shimlab-test-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder
