"""No key and no token leaves the lab: which files stay out of an export, and what is struck out of the others.

Sources of the forms: RFC 7468 (textual encoding of keys), RFC 7519 (JSON Web Tokens, which service accounts have),
RFC 6750 (bearer tokens); client-go, tools/clientcmd/api/v1 (the fields of a kubeconfig); kubeadm, --token.
"""

from __future__ import annotations

import re
from pathlib import Path

STRUCK_OUT = b"(struck out)"
_FILES = re.compile(r"(?i)kubeconfig|\.key$|\.pem$|\.p12$|^credentials$|^\.dockerconfigjson$|token$")
_KEY = re.compile(
    rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_TOKEN = re.compile(rb"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
_NAMED = re.compile(
    rb"(?i)(\bbearer +|\bauthorization: *basic +|--token[ =]|"
    rb"\b(?:client-key-data|token|password)[\"']?: *[\"']?)[^\s\"',}]{8,}"
)


def stays_out(path: Path) -> bool:
    """Tell whether a file, or a folder that it lies in, holds keys or tokens by its name."""
    return any(_FILES.search(part) for part in path.parts)


def struck_out(text: bytes) -> bytes:
    """Return a text without the private keys and tokens in it."""
    text = _KEY.sub(STRUCK_OUT, text)
    text = _TOKEN.sub(STRUCK_OUT, text)
    return _NAMED.sub(lambda found: found[1] + STRUCK_OUT, text)
