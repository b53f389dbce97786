"""The lab's kubeconfig, with its certificates and key in files beside it.

kind writes them into the kubeconfig itself. The Kubernetes Python client needs files: it lays down copies in the folder
for temporary files and removes them when its process ends, so that one that is killed, a notebook's kernel for one,
leaves a private key behind (kubernetes 37, config/kube_config.py, _create_temp_file_with_content).
"""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

FOLDER = "credentials"
FIELDS = {
    "clusters": ("cluster", ["certificate-authority"]),
    "users": ("user", ["client-certificate", "client-key"]),
}


def unpack(kubeconfig: Path) -> None:
    """Write what the kubeconfig carries within itself into files that only their owner reads, and name them there.

    Raises:
        OSError, yaml.YAMLError, ValueError: the file cannot be read, written or made sense of.
    """
    import yaml

    found = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    folder = kubeconfig.parent / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    for entries, (kind, fields) in FIELDS.items():
        for entry in found[entries]:
            for field in fields:
                if (data := entry[kind].pop(f"{field}-data", None)) is None:
                    continue
                file = folder / f"{entry['name']}.{field}.pem"
                _write(file, base64.b64decode(data))
                # Relative to the kubeconfig's folder, as kubectl and the client read it.
                entry[kind][field] = f"{FOLDER}/{file.name}"
    _write(kubeconfig, yaml.safe_dump(found, sort_keys=False).encode())


def remove(kubeconfig: Path) -> None:
    """Remove the kubeconfig and the files that it names; none may be there."""
    kubeconfig.unlink(missing_ok=True)
    # A kind that is killed while it writes leaves its lock, and no other kind would write then.
    kubeconfig.with_name(f"{kubeconfig.name}.lock").unlink(missing_ok=True)
    shutil.rmtree(kubeconfig.parent / FOLDER, ignore_errors=True)


def _write(file: Path, content: bytes) -> None:
    """Write a file that nobody but its owner reads, not even while it is being written."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_bytes(content)
