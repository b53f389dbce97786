"""The lab's API server, asked with the Kubernetes client; its failures are told as the user's errors are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shimlab import paths
from shimlab.errors import LabError

REMEDY = "`shimlab status` tells how the lab is"


def kubeconfig() -> Path:
    """Return the lab's own kubeconfig file; the user's is never read or written."""
    return paths.state_dir() / "kubeconfig"


def core() -> Any:  # noqa: ANN401 - the client has no types
    """Return the Kubernetes client's core API, connected to the lab."""
    # The client costs half a second to import; only commands that ask the cluster pay it.
    from kubernetes import client, config

    return client.CoreV1Api(
        config.new_client_from_config(  # type: ignore[no-untyped-call]
            config_file=str(kubeconfig())
        )
    )


@contextmanager
def answering(passing: tuple[int, ...] = (), remedy: str = REMEDY) -> Iterator[None]:
    """Turn the client's errors into one for the user, but for the ``passing`` answers (HTTP status codes).

    Raises:
        LabError: the API server refuses or does not answer.
    """
    from kubernetes import client, config
    from urllib3.exceptions import HTTPError
    from yaml import YAMLError

    try:
        yield
    except client.ApiException as error:
        if error.status in passing:
            raise
        raise LabError(f"the API server refuses: {error.reason} ({error.status})", remedy) from error
    except (config.ConfigException, HTTPError, OSError, YAMLError) as error:
        # The client's own words go over many lines and show the HTTP exchange; the last one says what was wrong.
        told = str(getattr(error, "reason", "") or error).strip().splitlines()[-1:]
        raise LabError(f"the API server does not answer: {' '.join(told)[:160]}", remedy) from error
