"""What a Go program was built from, read out of its own file: Go's release, its modules, its functions.

Sources: Go's src/debug/buildinfo/buildinfo.go (both forms of the section .go.buildinfo: up to 1.17 it points to two
strings, from 1.18 on it holds them), src/cmd/go/internal/modload/build.go (the module list between two markers of 16
bytes), src/debug/gosym/pclntab.go (the table of functions, kept in programs that are stripped too).
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from shimlab.errors import LabError
from shimlab.node import exec as nodes

_MAGIC = b"\xff Go buildinf:"
_STRINGS_INSIDE = 2
_MARKER = 16
# The first words of the table of functions: Go 1.2 to 1.15, 1.16 and 1.17, 1.18 and 1.19, 1.20 and later.
_TABLE_OF_NAMES = {0xFFFFFFFA: 24, 0xFFFFFFF0: 32, 0xFFFFFFF1: 32}
_OLD_TABLE = 0xFFFFFFFB


@dataclass(frozen=True, order=True)
class Module:
    """A Go module that a program was built with."""

    path: str
    version: str


@dataclass(frozen=True)
class Program:
    """A Go program as it lies in a file: where, how large in bytes, which Go built it, and from which modules."""

    columns: ClassVar = ("path", "go", "size")

    path: str
    go: str
    size: int
    modules: tuple[Module, ...]
    #: The table of functions as it lies in the file.
    table: bytes = field(repr=False, compare=False)

    @cached_property
    def functions(self) -> frozenset[str]:
        """Return every function by its full name: package, and receiver or name.

        Raises:
            LabError: the table is of another kind, or none was found: a linker that is not Go's own may have put it
                into another section, as in Debian's dockerd.
        """
        try:
            return _functions(self.table)
        except (ValueError, struct.error) as error:
            raise LabError(
                f"{self.path} has no table of functions that can be read", "name another one"
            ) from error

    @cached_property
    def packages(self) -> frozenset[str]:
        """Return the packages that the functions belong to."""
        return frozenset(filter(None, map(_package, self.functions)))

    def below(self, package: str) -> frozenset[str]:
        """Return the functions of a package and of those in its folder."""
        return frozenset(
            each
            for each in self.functions
            if (of := _package(each)) == package or of.startswith(f"{package}/")
        )


def program(node: str, path: str) -> Program:
    """Read a program of a node; /proc/PID/exe is the one that a process runs, whatever lies at its path by now.

    Raises:
        LabError: there is no such file, or it is not a Go program.
    """
    return parse(path, nodes.read(node, path))


def parse(path: str, data: bytes) -> Program:
    """Read the bytes of a program.

    Raises:
        LabError: they are not an ELF file of 64 bits that Go's linker made.
    """
    try:
        elf = ELFFile(io.BytesIO(data))
        sections = {each.name: each for each in elf.iter_sections()}
        version, modules = _build_info(elf, sections[".go.buildinfo"].data())
        table = sections.get(".gopclntab")
        return Program(path, version, len(data), modules, table.data() if table else b"")
    except (ELFError, KeyError, ValueError, struct.error) as error:
        raise LabError(
            f"{path} is not a Go program that can be read ({error!r})", "name another one"
        ) from error


def _build_info(elf: ELFFile, section: bytes) -> tuple[str, tuple[Module, ...]]:
    if not section.startswith(_MAGIC):
        raise ValueError("no build information")
    if section[15] & _STRINGS_INSIDE:
        version, rest = _counted(section[32:])
        modules, _ = _counted(rest)
    else:
        version, modules = (_pointed(elf, pointer) for pointer in struct.unpack_from("<QQ", section, 16))
    return version.decode(), _modules(modules[_MARKER:-_MARKER].decode() if modules else "")


def _counted(data: bytes) -> tuple[bytes, bytes]:
    """Take a string off that follows its length, seven bits a byte; return it and the rest."""
    size = shift = 0
    for at, byte in enumerate(data):
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return data[at + 1 : at + 1 + size], data[at + 1 + size :]
    raise ValueError("a length without an end")


def _pointed(elf: ELFFile, pointer: int) -> bytes:
    """Follow a pointer to a Go string's header, address and length, and that to its bytes."""
    address, size = struct.unpack("<QQ", _memory(elf, pointer, 16))
    return _memory(elf, address, size) if size else b""


def _memory(elf: ELFFile, address: int, size: int) -> bytes:
    for segment in elf.iter_segments("PT_LOAD"):
        start = segment["p_vaddr"]
        if start <= address and address + size <= start + segment["p_filesz"]:
            elf.stream.seek(segment["p_offset"] + address - start)
            return bytes(elf.stream.read(size))
    raise ValueError(f"nothing is loaded at {address:#x}")


def _modules(listed: str) -> tuple[Module, ...]:
    """Read the list of modules; where a line is followed by a replacement, that one was built in."""
    found: list[Module] = []
    for line in listed.splitlines():
        kind, *words = line.split("\t")
        if kind in {"mod", "dep"} and len(words) >= 2:
            found.append(Module(words[0], words[1]))
        elif kind == "=>" and found:
            found[-1] = Module(found[-1].path, words[1])
    return tuple(sorted(found))


def _functions(table: bytes) -> frozenset[str]:
    (magic,) = struct.unpack_from("<I", table)
    (count,) = struct.unpack_from("<Q", table, 8)
    if magic == _OLD_TABLE:
        # Pairs of address and place; at the place the address again, then the name's place.
        places = struct.unpack_from(f"<{2 * count}Q", table, 16)[1::2]
        names = (struct.unpack_from("<i", table, place + 8)[0] for place in places)
        return frozenset(_text(table, name) for name in names)
    if magic not in _TABLE_OF_NAMES:
        raise ValueError(f"a table of functions of another kind ({magic:#x})")
    begin, end = struct.unpack_from("<QQ", table, _TABLE_OF_NAMES[magic])
    return frozenset(name.decode("utf-8", "replace") for name in table[begin:end].split(b"\0") if name)


def _text(table: bytes, at: int) -> str:
    return table[at : table.index(b"\0", at)].decode("utf-8", "replace")


def _package(function: str) -> str:
    """Return the package of a function's full name; dots in its last part are written %2e, those before as they are."""
    head, slash, last = function.rpartition("/")
    return f"{head}{slash}{last.partition('.')[0]}" if "." in last else ""
