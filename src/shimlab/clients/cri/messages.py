"""What a runtime says over CRI, as records that are the same for every runtime and API version.

Names and meaning of the fields follow ``api.proto`` of cri-api, the same in v1alpha2 and v1.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Version:
    """The answer to ``Version``, and in which API version it was given."""

    api: str
    runtime_name: str
    runtime_version: str
    runtime_api_version: str


@dataclass(frozen=True, order=True)
class Pod:
    """A pod sandbox."""

    namespace: str
    name: str
    attempt: int
    id: str
    uid: str
    state: str
    created_ns: int
    labels: dict[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, order=True)
class Container:
    """A container of a pod, running or not."""

    namespace: str
    pod: str
    name: str
    attempt: int
    id: str
    pod_id: str
    state: str
    image: str
    image_ref: str
    created_ns: int


@dataclass(frozen=True, order=True)
class Image:
    """An image in the runtime's store."""

    tags: tuple[str, ...]
    digests: tuple[str, ...]
    id: str
    bytes: int


@dataclass(frozen=True)
class Condition:
    """One condition of the runtime, such as RuntimeReady."""

    type: str
    status: bool
    reason: str
    message: str


@dataclass(frozen=True)
class Info:
    """The answer to a verbose ``Status``."""

    conditions: tuple[Condition, ...]
    details: dict[str, str]
