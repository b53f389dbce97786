"""Go programs read out of their files: made here byte by byte, in each form that Go's linker has written them."""

from __future__ import annotations

import struct

import pytest

from shimlab.errors import LabError
from shimlab.evidence import Module, programs

MARKER = b"-" * 16
LISTED = (
    "path\tk8s.io/kubernetes/cmd/kubelet\n"
    "mod\tk8s.io/kubernetes\tv1.20.15\t\n"
    "dep\tgithub.com/docker/docker\tv20.10.0+incompatible\th1:x=\n"
    "dep\tk8s.io/api\tv0.0.0\n"
    "=>\t./staging/src/k8s.io/api\t(devel)\n"
)
MODULES = (
    Module("github.com/docker/docker", "v20.10.0+incompatible"),
    Module("k8s.io/api", "(devel)"),
    Module("k8s.io/kubernetes", "v1.20.15"),
)
NAMES = [
    "main.main",
    "k8s.io/kubernetes/pkg/kubelet/dockershim.(*dockerService).Version",
    "k8s.io/kubernetes/pkg/kubelet/dockershim/cm.NewContainerManager",
    "k8s.io/kubernetes/pkg/kubelet/dockershimmy.New",
    "gopkg.in/yaml%2ev2.Unmarshal",
    "memequal",
]
# Where the section of the old form is loaded.
AT = 0x400000


def elf(sections: dict[str, bytes], loaded: str = "") -> bytes:
    """A 64-bit ELF file of these sections; one may lie in a segment that is loaded at AT."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in [*sections, ".shstrtab"])
    head, segments = 64, 56
    body, places = b"", {}
    for name, data in {**sections, ".shstrtab": names}.items():
        places[name] = (head + segments + len(body), len(data))
        body += data
    at, size = places.get(loaded, (0, 0))
    program = struct.pack("<IIQQQQQQ", 1 if loaded else 0, 4, at, AT, AT, size, size, 1)
    table = b"\0" * 64
    for name, (place, length) in places.items():
        kind = 3 if name == ".shstrtab" else 1
        table += struct.pack("<IIQQQQIIQQ", names.index(name.encode()), kind, 0, 0, place, length, 0, 0, 1, 0)
    ident = b"\x7fELF\2\1\1" + b"\0" * 9
    count = len(places) + 1
    header = struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, 0, head, head + segments + len(body), 0, 64, 56, 1, 64, count, count - 1
    )
    return ident + header + program + body + table


def counted(text: bytes) -> bytes:
    size, head = len(text), b""
    while size >= 0x80:
        head, size = head + bytes([size & 0x7F | 0x80]), size >> 7
    return head + bytes([size]) + text


def inside(go: str, listed: str) -> bytes:
    """Build information as Go 1.18 and later writes it: the strings follow."""
    modules = MARKER + listed.encode() + MARKER if listed else b""
    return (b"\xff Go buildinf:\x08\x02").ljust(32, b"\0") + counted(go.encode()) + counted(modules)


def pointed(go: str, listed: str) -> bytes:
    """Build information as Go up to 1.17 writes it: two pointers to strings' headers."""
    modules = MARKER + listed.encode() + MARKER
    first, second = AT + 32, AT + 48
    text = AT + 64
    headers = struct.pack("<QQQQ", text, len(go), text + len(go), len(modules))
    return b"\xff Go buildinf:\x08\0" + struct.pack("<QQ", first, second) + headers + go.encode() + modules


def old_table(names: list[str]) -> bytes:
    """Functions as Go up to 1.15 lists them: address and place in turn, and at the place the name's place."""
    head = struct.pack("<IHBBQ", 0xFFFFFFFB, 0, 1, 8, len(names))
    first = len(head) + 16 * len(names)
    texts = first + 12 * len(names)
    pairs = records = strings = b""
    for index, name in enumerate(names):
        pairs += struct.pack("<QQ", index, first + 12 * index)
        records += struct.pack("<Qi", index, texts + len(strings))
        strings += name.encode() + b"\0"
    return head + pairs + records + strings


def new_table(names: list[str], magic: int, field: int) -> bytes:
    """Functions as later Go lists them: the names in one piece, whose place and end are in the head."""
    text = b"".join(name.encode() + b"\0" for name in names)
    head = bytearray(struct.pack("<IHBBQ", magic, 0, 1, 8, len(names)).ljust(64, b"\0"))
    struct.pack_into("<QQ", head, field, 64, 64 + len(text))
    return bytes(head) + text


TABLES = {
    "1.15": old_table(NAMES),
    "1.16": new_table(NAMES, 0xFFFFFFFA, 24),
    "1.18": new_table(NAMES, 0xFFFFFFF0, 32),
    "1.20": new_table(NAMES, 0xFFFFFFF1, 32),
}


@pytest.mark.parametrize(
    ("info", "loaded"),
    [(inside("go1.19.8", LISTED), ""), (pointed("go1.15.15", LISTED), ".go.buildinfo")],
)
def test_release_and_modules_in_both_forms(info: bytes, loaded: str) -> None:
    data = elf({".go.buildinfo": info, ".gopclntab": b""}, loaded)
    found = programs.parse("/x", data)
    assert found.go == info[info.index(b"go1.") :][: len(found.go)].decode()
    assert (found.path, found.size, found.modules) == ("/x", len(data), MODULES)


def test_a_program_without_modules_has_none() -> None:
    assert programs.parse("/x", elf({".go.buildinfo": inside("go1.20", "")})).modules == ()


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_functions_in_every_form_of_the_table(table: bytes) -> None:
    found = programs.parse("/x", elf({".go.buildinfo": inside("go1.x", LISTED), ".gopclntab": table}))
    assert found.functions == set(NAMES)
    assert found.packages == {
        "main",
        "gopkg.in/yaml%2ev2",
        *(
            f"k8s.io/kubernetes/pkg/kubelet/{name}"
            for name in ("dockershim", "dockershim/cm", "dockershimmy")
        ),
    }


def test_a_package_and_those_in_its_folder_but_no_namesake() -> None:
    found = programs.parse("/x", elf({".go.buildinfo": inside("go1.x", ""), ".gopclntab": TABLES["1.15"]}))
    assert found.below("k8s.io/kubernetes/pkg/kubelet/dockershim") == set(NAMES[1:3])
    assert found.below("k8s.io/kubernetes/pkg/kubelet/dockershi") == set()


@pytest.mark.parametrize("table", [b"", b"\1" * 64, TABLES["1.15"][:40]], ids=["none", "other", "cut"])
def test_a_table_that_cannot_be_read_is_told_when_it_is_asked_for(table: bytes) -> None:
    found = programs.parse("/x", elf({".go.buildinfo": inside("go1.x", ""), ".gopclntab": table}))
    with pytest.raises(LabError, match="/x has no table of functions that can be read"):
        _ = found.functions


@pytest.mark.parametrize(
    "data",
    [
        b"#!/bin/sh\n",
        b"",
        elf({".text": b"x"}),
        elf({".go.buildinfo": b"something else, long enough to be one"}),
        elf({".go.buildinfo": pointed("go1.15", LISTED)}),
    ],
    ids=["script", "empty", "not Go", "no magic", "points nowhere"],
)
def test_what_is_no_go_program_is_refused(data: bytes) -> None:
    with pytest.raises(LabError, match="/x is not a Go program that can be read"):
        programs.parse("/x", data)
