"""The release's own CRI protos, turned into message classes and method paths at run time.

Nothing generated is kept in the repository: a node of the lab carries the ``api.proto`` files of the release
it runs, and those are what a client has to speak. The compiled descriptors are cached by their text's hash.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

from shimlab.errors import LabError

NEWEST_FIRST = ("v1", "v1alpha2")
SERVICES = ("RuntimeService", "ImageService")


class Api:
    """One version of CRI: its methods and messages by name."""

    def __init__(self, version: str, pool: descriptor_pool.DescriptorPool) -> None:
        """Look up both services of ``version`` in a pool that holds the release's descriptors."""
        self.version = version
        self._methods: dict[str, tuple[str, Any]] = {}
        for name in SERVICES:
            service = pool.FindServiceByName(f"runtime.{version}.{name}")
            for method in service.methods:
                self._methods[method.name] = (f"/{service.full_name}/{method.name}", method)

    def methods(self) -> list[str]:
        """Name every method of both services, sorted."""
        return sorted(self._methods)

    def path(self, method: str) -> str:
        """Say what gRPC calls ``method`` on the wire."""
        return self._methods[method][0]

    def request_class(self, method: str) -> Any:  # noqa: ANN401 - protobuf makes the class at run time
        """Return the class of the message that ``method`` takes."""
        return message_factory.GetMessageClass(self._methods[method][1].input_type)

    def response_class(self, method: str) -> Any:  # noqa: ANN401 - protobuf makes the class at run time
        """Return the class of the message that ``method`` answers with."""
        return message_factory.GetMessageClass(self._methods[method][1].output_type)


def load(sources: Mapping[str, str], cache: Path) -> dict[str, Api]:
    """Make every CRI version found in ``sources`` (path below the include root → text) callable.

    Raises:
        LabError: there is no ``VERSION/api.proto`` among the sources, or protoc refuses them.
    """
    versions = [version for version in NEWEST_FIRST if f"{version}/api.proto" in sources]
    if not versions:
        raise LabError(
            f"no CRI proto among {', '.join(sorted(sources)) or 'no files at all'}",
            "use a node of an image that `shimlab up` built: it carries the protos of its release",
        )
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(_compiled(sources, cache)).file:
        pool.Add(file)
    return {version: Api(version, pool) for version in versions}


def _compiled(sources: Mapping[str, str], cache: Path) -> bytes:
    """Return the FileDescriptorSet of ``sources``, compiling only what was never seen before."""
    digest = hashlib.sha256()
    for path in sorted(sources):
        for part in (path, sources[path]):
            data = part.encode()
            digest.update(b"%d:" % len(data) + data)
    kept = cache / f"{digest.hexdigest()}.pb"
    if kept.exists():
        return kept.read_bytes()
    with tempfile.TemporaryDirectory(prefix="shimlab-protos-") as folder:
        data = _protoc(sources, Path(folder))
    cache.mkdir(parents=True, exist_ok=True)
    # Two clients may compile at once; a rename shows each of them a whole file or none.
    handle, fresh = tempfile.mkstemp(dir=cache, prefix=".fresh-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(fresh).replace(kept)
    return data


def _protoc(sources: Mapping[str, str], folder: Path) -> bytes:
    for path, text in sources.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    out = folder / "all.pb"
    # `-m grpc_tools.protoc` adds the include folder with google/protobuf/*.proto, which gogo.proto extends.
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", "--include_imports"]
    command += [f"--descriptor_set_out={out}", *_apis(sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LabError(
            f"protoc refuses the CRI protos: {last}",
            "build the node image again: its protos are incomplete (`shimlab up`)",
        )
    return out.read_bytes()


def _apis(sources: Mapping[str, str]) -> Iterator[str]:
    return (f"{version}/api.proto" for version in NEWEST_FIRST if f"{version}/api.proto" in sources)
