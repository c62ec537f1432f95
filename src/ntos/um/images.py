"""The PE image of a DLL written in Python: stubs, guest code, forwarders, unwind data, version resource.

Every name the real DLL exports is there. It leads to a leaf routine (machine code), to a stub of a Python export, to
another DLL (forwarder), or, where nothing implements it, to a stub that fails loudly when called.
"""

from __future__ import annotations

import importlib
import importlib.util
import struct
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from ntos.abi import apiset
from ntos.abi.exports import export_names, known_dlls
from ntos.abi.pe.build import CODE, READ_WRITE, ImageBuilder
from ntos.abi.pe.headers import Directory, parse_headers
from ntos.abi.pe.parts import ExportEntry, VersionInfo
from ntos.abi.services import names as service_names
from ntos.abi.services import number_of
from ntos.abi.status import STATUS
from ntos.etw.event import Missing
from ntos.um import leaf
from ntos.um.export import TABLE, ExportDoor, registry
from ntos.um.programs import SYSTEM32, SYSTEM_MODULES

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from ntos.um.thread import UserThread

VERSION = (10, 0, 19041, 2006)
BREAKPOINT = b"\xcc"
ENTRY_POINT = "DllMain"
PROGRAM_BASE = 0x1_4000_0000
SYMBOLS = uuid.UUID("6e746f73-0000-0000-0000-000000000000")
MODULE_SHIFT = 16
LEAF_OF = {"msvcrt": "ucrtbase"}
"""Whose leaf routines a DLL without its own takes: both C runtimes are the same machine code."""
HIDDEN = "ntos_"
"""Names that Python code finds in `ModuleImage.rvas` but the export table does not show."""
OTHER_NAME = "_o_"
"""ucrtbase exports most functions a second time under this prefix."""
TABLE_SIZE = 0x1000
STUB_SIZE = 11
IMPORTS: dict[str, tuple[tuple[str, str], ...]] = {
    "kernelbase": (("ntdll.dll", "NtClose"),),
    "kernel32": (("KERNELBASE.dll", "CloseHandle"), ("ntdll.dll", "NtClose")),
    "ucrtbase": (("KERNELBASE.dll", "CloseHandle"), ("ntdll.dll", "NtClose")),
    "msvcrt": (("KERNELBASE.dll", "CloseHandle"), ("ntdll.dll", "NtClose")),
    "advapi32": (("KERNELBASE.dll", "CloseHandle"), ("ntdll.dll", "NtClose")),
}
"""One import of each DLL that the real one needs: load and initialisation order are then Windows's own
(programs count on ntdll, kernelbase, kernel32)."""
COPIES_OF_NTDLL = frozenset({"__C_specific_handler"})
"""Routines of which the C runtimes carry copies; ntdll's serves them all."""
NT_STUB = bytes.fromhex("4c8bd1b8") + b"%b" + bytes.fromhex("f604250803fe7f017503 0f05c3 cd2ec3 0f1f840000000000")
"""ntdll's own stub: mov r10,rcx; mov eax,N; test byte [7FFE0308h],1; jne; syscall; ret; int 2Eh; ret; padding.
Programs read the number from it or compare its bytes (32 bytes a stub, as in the reference build)."""


@dataclass(frozen=True, slots=True)
class GuestRoutine:
    """Machine code declared in Python, with its UNWIND_INFO if it has a frame.

    Without code it is the ordinary stub of a Python export that needs unwind data.
    """

    code: bytes
    unwind: bytes | None = None


class AbsentDoor:
    """An export the real DLL has and we do not: calling it tells who asked and raises NOT_IMPLEMENTED."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def enter(self, thread: UserThread) -> Coroutine[None, None, None] | None:
        """Fail loudly: an event, and an exception nobody can continue from."""
        context = thread.context
        caller = int.from_bytes(thread.memory.read(context.rsp, 8), "little")
        arguments = [context.r10, context.rdx, context.r8, context.r9]
        location = thread.module_at(caller)
        thread.log.emit(Missing(module=self.module, name=self.name, caller=location, arguments=arguments))
        thread.raise_exception(int(STATUS.NOT_IMPLEMENTED), (caller,), noncontinuable=True)
        return None


@dataclass(slots=True)
class ModuleImage:
    """A synthesised DLL: the file, what its stubs' numbers mean, and where each export is."""

    name: str
    data: bytes
    doors: dict[int, ExportDoor | AbsentDoor] = field(default_factory=dict)
    rvas: dict[str, int] = field(default_factory=dict)


@cache
def _module_names() -> tuple[str, ...]:
    """All images we make, in the order that gives them their numbers."""
    return (*sorted(known_dlls()), *SYSTEM_MODULES)


def available(dll: str) -> bool:
    """Whether we make a DLL of this name (without extension, any case)."""
    name = dll.lower().removesuffix(".dll")
    return name in _module_names() and (name not in SYSTEM_MODULES or SYSTEM_MODULES[name].extension == "dll")


@cache
def _package(name: str) -> str:
    """The Python package behind an image; empty where there is none."""
    for package in (f"ntos.dll.{name}", f"ntos.exe.{name}"):
        above = package.rpartition(".")[0]
        if importlib.util.find_spec(above) is not None and importlib.util.find_spec(package) is not None:
            return package
    return ""


@cache
def exports_of(dll: str) -> dict[str, ExportDoor]:
    """The Python exports of a DLL by name; its package is imported on first use."""
    if _package(dll):
        importlib.import_module(_package(dll))
    return registry.get(dll, {})


@cache
def _implemented(dll: str) -> frozenset[str]:
    """Names `dll` really has something for, or at least exports."""
    routines = leaf.load(dll)
    names = {entry.name for entry in export_names(dll)} | set(exports_of(dll))
    names.update(routines.exports if routines else ())
    return frozenset(names)


def imports_of(dll: str) -> tuple[tuple[str, str], ...]:
    """(module, function) of everything the image of a DLL imports, known without building it."""
    system = SYSTEM_MODULES.get(dll)
    return IMPORTS.get(dll, ()) if system is None else system.imports


@cache
def build(dll: str) -> ModuleImage:
    """The image of a DLL (name without extension, lower case)."""
    return _Synthesis(dll).finish()


class _Synthesis:
    """One image in the making."""

    def __init__(self, dll: str) -> None:
        self.dll = dll
        self.number = _module_names().index(dll) + 1
        self.doors: dict[int, ExportDoor | AbsentDoor] = {}
        self.rvas: dict[str, int] = {}
        self._described: dict[str, bytes] = {}
        self.forwarders: dict[str, str] = {}
        self.ordinals = {entry.name: entry.ordinal for entry in export_names(dll) if entry.ordinal}
        self.system = SYSTEM_MODULES.get(dll)
        self.builder = self._builder()

    def _builder(self) -> ImageBuilder:
        stamp = 0x65A00000 + self.number
        if self.system is None or self.system.extension == "dll":
            return ImageBuilder(flat=True, time_date_stamp=stamp)
        return ImageBuilder(
            base=PROGRAM_BASE, dll=False, flat=True, subsystem=self.system.subsystem, time_date_stamp=stamp
        )

    def finish(self) -> ModuleImage:
        """Place everything and build."""
        self._leaf()
        self._data()
        self._guest_code()
        python = exports_of(self.dll)
        code = bytearray()
        if self.dll == "ntdll":
            self._service_stubs(code, python)
        self._stubs(code, python)
        base = self.builder.next_rva
        if code:
            self._describe_stubs(code, base)
            self.builder.section(".stubs", bytes(code), CODE, rva=base)
            self.rvas.update({name: base + offset for name, offset in self._pending.items()})
        imports = imports_of(self.dll)
        if imports:
            self.builder.imports([(module, [function]) for module, function in imports])
        entry_point = self.rvas.pop(ENTRY_POINT if self.system is None else self.system.entry, 0)
        self.builder.entry_point = entry_point
        entries = [
            ExportEntry(name, rva, ordinal=self.ordinals.get(name, 0))
            for name, rva in self.rvas.items()
            if not name.startswith(HIDDEN)
        ]
        entries += [
            ExportEntry(name, 0, target, self.ordinals.get(name, 0)) for name, target in self.forwarders.items()
        ]
        if entries:
            self.builder.exports(f"{self.dll}.dll", entries)
        self.builder.debug(uuid.uuid5(SYMBOLS, self.dll), f"{self.dll}.pdb")
        self.builder.version_info(_version(self.dll, self.system.extension if self.system else "dll"))
        return ModuleImage(self.dll, self.builder.build(), self.doors, self.rvas)

    _pending: dict[str, int]

    def _describe_stubs(self, code: bytearray, base: int) -> None:
        """Unwind data for stubs that are entered otherwise than by a call (`GuestRoutine` without code)."""
        for label, unwind in self._described.items():
            if label in self._pending:
                code += bytes(-len(code) % 4)
                start = base + self._pending[label]
                # No `ret`: an unwinder would take it for an epilog, and nobody called this code.
                code[self._pending[label] + STUB_SIZE - 1 : self._pending[label] + STUB_SIZE] = BREAKPOINT
                self.builder.function_table([(start, start + STUB_SIZE, base + len(code))])
                code += unwind

    def _leaf(self) -> None:
        """The leaf image's sections come first, at their own addresses; its unwind rows join ours."""
        self._pending = {}
        routines = leaf.load(LEAF_OF.get(self.dll, self.dll))
        if routines is None:
            return
        headers = parse_headers(routines.data, len(routines.data))
        rows = b""
        for section in headers.sections:
            data = routines.data[section.raw_offset : section.raw_offset + section.raw_size]
            if section.name == ".pdata":
                rows = data[: headers.directories[Directory.EXCEPTION][1]]
            if section.name in (".reloc", ".edata"):
                continue
            self.builder.section(
                section.name, data, section.characteristics, rva=section.virtual_address,
                virtual_size=section.virtual_size,
            )  # fmt: skip
        self.builder.function_table(struct.iter_unpack("<III", rows))
        self.rvas.update(routines.exports)
        second = {entry.name for entry in export_names(self.dll) if entry.name.startswith(OTHER_NAME)}
        self.rvas.update(
            {OTHER_NAME + name: rva for name, rva in routines.exports.items() if OTHER_NAME + name in second}
        )

    def _data(self) -> None:
        """Exported variables (`DATA` in the DLL's `entry` module), and second names of routines (`ALIASES`).

        A variable is bytes, a number of zero bytes, or a place in another variable: its name and an offset.
        """
        variables: dict[str, bytes | int | tuple[str, int]] = _entry_table(self.dll, "DATA")
        content, base = bytearray(), self.builder.next_rva
        for label, value in variables.items():
            if isinstance(value, tuple):
                self.rvas[label] = self.rvas[value[0]] + value[1]
                continue
            content += bytes(-len(content) % 16)
            self.rvas[label] = base + len(content)
            content += bytes(value) if isinstance(value, int) else value
        if content:
            self.builder.section(".data1", bytes(content), READ_WRITE, rva=base)
        aliases: dict[str, str] = _entry_table(self.dll, "ALIASES")
        self.rvas.update({alias: self.rvas[name] for alias, name in aliases.items()})

    def _guest_code(self) -> None:
        """Routines declared as bytes beside the Python exports (`GUEST_CODE` in the DLL's `entry` module)."""
        routines: dict[str, GuestRoutine] = _entry_table(self.dll, "GUEST_CODE")
        if not routines:
            return
        base = self.builder.next_rva
        code, unwinds = bytearray(), bytearray()
        rows: list[tuple[int, int, int]] = []
        total = sum(len(routine.code) + 16 for routine in routines.values())
        for label, routine in routines.items():
            if not routine.code:
                self._described[label] = routine.unwind or b""
                continue
            code += BREAKPOINT * (-len(code) % 16)
            self.rvas[label] = base + len(code)
            if routine.unwind:
                unwinds += bytes(-len(unwinds) % 4)
                rows.append((base + len(code), base + len(code) + len(routine.code), len(unwinds)))
                unwinds += routine.unwind
            code += routine.code
        tail = (total + 31) & ~15
        code += BREAKPOINT * (tail - len(code))
        self.builder.section(".entry", bytes(code + unwinds), CODE, rva=base)
        self.builder.function_table((begin, end, base + tail + info) for begin, end, info in rows)

    def _service_stubs(self, code: bytearray, python: dict[str, ExportDoor]) -> None:
        for name in service_names():
            number = number_of(name)
            if number is None or not name.startswith("Nt"):
                continue
            for spelling in (name, "Zw" + name[2:]):
                if spelling not in python and spelling not in self.rvas:
                    self._pending[spelling] = len(code)
            code += NT_STUB.replace(b"%b", struct.pack("<I", number))

    def _stubs(self, code: bytearray, python: dict[str, ExportDoor]) -> None:
        listed = {entry.name: entry.forwarder for entry in export_names(self.dll)}
        index = 0
        for name in sorted({*listed, *python}):
            if name in self.rvas or name in self._pending:
                continue
            door: ExportDoor | AbsentDoor | None = python.get(name)
            if door is None:
                target = self._forwarder(name, listed.get(name))
                if target is not None:
                    self.forwarders[name] = target
                    continue
                door = AbsentDoor(self.dll, name)
            eax = self.number << MODULE_SHIFT | TABLE | index
            index += 1
            if index > TABLE_SIZE:
                raise ValueError(f"{self.dll} has more exports than a service table has rows")
            self.doors[eax] = door
            self._pending[name] = len(code)
            code += b"\x4c\x8b\xd1\xb8" + struct.pack("<I", eax) + b"\x0f\x05\xc3" + BREAKPOINT * 5

    def _forwarder(self, name: str, listed: str | None) -> str | None:
        """Where a name we do not implement leads: the listed forwarder if its target exports it, else kernelbase."""
        if name in declared_forwarders(self.dll):
            return declared_forwarders(self.dll)[name]
        if listed is not None:
            module, _, function = listed.rpartition(".")
            host = module.lower()
            if host.startswith(("api-", "ext-")):
                host = (apiset.resolve(host, self.dll + ".dll") or "").lower().removesuffix(".dll")
            if host and host != self.dll and available(host) and function in _implemented(host):
                return f"{host.upper()}.{function}"
        if name in COPIES_OF_NTDLL and self.dll != "ntdll":
            return f"NTDLL.{name}"
        if self.dll in ("kernel32", "advapi32", "shlwapi", "shell32", "user32") and (
            name in exports_of("kernelbase") or name in _leaf_names("kernelbase")
        ):
            return f"KERNELBASE.{name}"
        return declared_forwarders("kernelbase").get(name) if self.dll == "kernel32" else None


@cache
def declared_forwarders(dll: str) -> dict[str, str]:
    """`FORWARDERS` of the DLL's `entry` module: names that do nothing but call another DLL's."""
    return _entry_table(dll, "FORWARDERS")


@cache
def _leaf_names(dll: str) -> frozenset[str]:
    routines = leaf.load(LEAF_OF.get(dll, dll))
    return frozenset(routines.exports if routines else ())


def _entry_table(dll: str, name: str) -> dict[str, Any]:
    """A table of the DLL's `entry` module: what its image has besides Python exports."""
    if importlib.util.find_spec("ntos.dll") is None or not _has_module(dll, "entry"):
        return {}
    table: dict[str, Any] = getattr(importlib.import_module(f"ntos.dll.{dll}.entry"), name, {})
    return table


def _has_module(dll: str, name: str) -> bool:
    if importlib.util.find_spec(f"ntos.dll.{dll}") is None:
        return False
    return importlib.util.find_spec(f"ntos.dll.{dll}.{name}") is not None


def _version(dll: str, extension: str) -> VersionInfo:
    number = ".".join(map(str, VERSION))
    return VersionInfo(
        VERSION,
        {
            "CompanyName": "ntos",
            "FileDescription": f"{dll} written in Python",
            "FileVersion": number,
            "InternalName": f"{dll}.{extension}",
            "OriginalFilename": f"{dll}.{extension}",
            "ProductName": "ntos",
            "ProductVersion": number,
        },
    )


def all_names() -> Iterable[str]:
    """Every image we make."""
    return _module_names()


def path_of(name: str) -> str:
    """Where on the system volume an image lies."""
    system = SYSTEM_MODULES.get(name)
    return f"{SYSTEM32}\\{name}.dll" if system is None else f"{system.folder}\\{name}.{system.extension}"
