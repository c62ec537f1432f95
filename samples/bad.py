"""Files that must be refused as programs, made from a good sample when a test asks: `make(name, directory)`.

Each maker says what Windows answers to CreateProcess: the Win32 error of the refusal. Sources: the PE format
specification, "System Error Codes" and the documented statuses of NtCreateSection.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ERROR_BAD_FORMAT = 11
ERROR_BAD_EXE_FORMAT = 193
ERROR_EXE_MACHINE_TYPE_MISMATCH = 216

MACHINE_I386 = 0x014C
MACHINE_ARM64 = 0xAA64
FILE_EXECUTABLE_IMAGE = 0x0002
FILE_DLL = 0x2000

# Offsets from the PE signature (PE32+).
MACHINE, SECTION_COUNT, OPTIONAL_SIZE, CHARACTERISTICS = 4, 6, 20, 22
OPTIONAL = 24
ENTRY, ALIGNMENT, FILE_ALIGNMENT, IMAGE_SIZE, HEADERS_SIZE = (OPTIONAL + at for at in (16, 32, 36, 56, 60))
SUBSYSTEM, DIRECTORIES = OPTIONAL + 68, OPTIONAL + 112
SECTION_VIRTUAL_ADDRESS, SECTION_RAW_SIZE, SECTION_RAW_POINTER = 12, 16, 20


@dataclass(frozen=True)
class Bad:
    """One bad input: what it is called and how it differs from a program."""

    name: str
    make: Callable[[], bytes]
    error: int | None  # the Win32 error of CreateProcess; None where only "refused" is certain

    @property
    def what(self) -> str:
        """The maker's own description."""
        return (self.make.__doc__ or "").strip()


def good() -> bytearray:
    """A small valid program to spoil."""
    return bytearray((HERE / "bin" / "hello_writefile.exe").read_bytes())


def signature(image: bytes | bytearray) -> int:
    """Where the PE signature stands."""
    return int(struct.unpack_from("<I", image, 0x3C)[0])


def patched(field: int, code: str, value: int) -> bytes:
    """The good program with one header field changed (`field` counts from the PE signature)."""
    image = good()
    struct.pack_into(code, image, signature(image) + field, value)
    return bytes(image)


def section(image: bytearray, index: int) -> int:
    """Where the header of one section stands; negative indices count from the last."""
    base = signature(image)
    count, size = (
        struct.unpack_from("<H", image, base + field)[0] for field in (SECTION_COUNT, OPTIONAL_SIZE)
    )
    return int(base + OPTIONAL + size + 40 * (index % count))


def patched_section(index: int, field: int, value: int) -> bytes:
    """The good program with one field of one section header changed."""
    image = good()
    struct.pack_into("<I", image, section(image, index) + field, value)
    return bytes(image)


def empty() -> bytes:
    """A file of no bytes."""
    return b""


def text() -> bytes:
    """A text file with the name of a program."""
    return b"This is not a program.\r\n" * 20


def two_bytes() -> bytes:
    """Only the letters MZ."""
    return b"MZ"


def dos_program() -> bytes:
    """A DOS program: an MZ header with nothing new behind it."""
    header = struct.pack("<14H", 0x5A4D, 0x60, 1, 0, 4, 0, 0xFFFF, 0, 0xB8, 0, 0, 0, 0x40, 0)
    code = bytes.fromhex("b8004ccd21")  # mov ax, 4C00h; int 21h
    return header.ljust(0x40, b"\0") + code.ljust(0x60 - 0x40, b"\0")


def _with_new_header(magic: bytes) -> bytes:
    image = bytearray(dos_program().ljust(0x80, b"\0"))
    struct.pack_into("<H", image, 0x18, 0x40)
    struct.pack_into("<I", image, 0x3C, 0x80)
    return bytes(image) + magic.ljust(0x100, b"\0")


def new_executable() -> bytes:
    """A 16-bit Windows program (NE)."""
    return _with_new_header(b"NE\x05\x0a")


def linear_executable() -> bytes:
    """An OS/2 or VxD image (LE)."""
    return _with_new_header(b"LE\0\0")


def header_beyond_end() -> bytes:
    """e_lfanew points behind the end of the file."""
    image = good()
    struct.pack_into("<I", image, 0x3C, len(image) + 0x1000)
    return bytes(image)


def header_negative() -> bytes:
    """e_lfanew is 0xFFFFFFF0, which overflows when a header's size is added."""
    image = good()
    struct.pack_into("<I", image, 0x3C, 0xFFFFFFF0)
    return bytes(image)


def wrong_signature() -> bytes:
    """The PE signature is spoilt."""
    image = good()
    image[signature(image) : signature(image) + 4] = b"PX\0\0"
    return bytes(image)


def truncated_headers() -> bytes:
    """The file ends inside the optional header."""
    image = good()
    return bytes(image[: signature(image) + OPTIONAL + 40])


def truncated_sections() -> bytes:
    """The file ends before the data of its last section."""
    image = good()
    return bytes(image[: struct.unpack_from("<I", image, section(image, -1) + SECTION_RAW_POINTER)[0]])


def section_beyond_end() -> bytes:
    """A section's raw data lies far beyond the end of the file."""
    return patched_section(0, SECTION_RAW_POINTER, 0x00100000)


def section_size_huge() -> bytes:
    """A section's raw data is said to be almost 4 GB long."""
    return patched_section(0, SECTION_RAW_SIZE, 0xFFFFFE00)


def sections_with_gap() -> bytes:
    """The last section does not follow the one before it in memory."""
    image = good()
    at = section(image, -1) + SECTION_VIRTUAL_ADDRESS
    struct.pack_into("<I", image, at, struct.unpack_from("<I", image, at)[0] + 0x10000)
    return bytes(image)


def sections_overlapping() -> bytes:
    """Two sections claim one address."""
    image = good()
    address = struct.unpack_from("<I", image, section(image, 0) + SECTION_VIRTUAL_ADDRESS)[0]
    return patched_section(1, SECTION_VIRTUAL_ADDRESS, address)


def image_size_too_small() -> bytes:
    """SizeOfImage ends before the first section."""
    return patched(IMAGE_SIZE, "<I", 0x1000)


def alignment_zero() -> bytes:
    """SectionAlignment is zero."""
    return patched(ALIGNMENT, "<I", 0)


def alignment_odd() -> bytes:
    """FileAlignment is not a power of two."""
    return patched(FILE_ALIGNMENT, "<I", 0x233)


def too_many_sections() -> bytes:
    """The section table is said to have 65535 rows."""
    return patched(SECTION_COUNT, "<H", 0xFFFF)


def machine_arm64() -> bytes:
    """A program for ARM64."""
    return patched(MACHINE, "<H", MACHINE_ARM64)


def machine_unknown() -> bytes:
    """A program for no machine there is."""
    return patched(MACHINE, "<H", 0x1234)


def not_executable() -> bytes:
    """An image the linker left with unresolved symbols: IMAGE_FILE_EXECUTABLE_IMAGE is not set."""
    return patched(CHARACTERISTICS, "<H", 0)


def dll_as_program() -> bytes:
    """A DLL started as a program."""
    return (HERE / "bin" / "plugin.dll").read_bytes()


def dll_flag() -> bytes:
    """A program marked as a DLL."""
    return patched(CHARACTERISTICS, "<H", FILE_EXECUTABLE_IMAGE | FILE_DLL)


def driver() -> bytes:
    """An image for the native subsystem, such as a driver."""
    return patched(SUBSYSTEM, "<H", 1)


def _pe32(*, clr: bool) -> bytes:
    """A minimal PE32 image for i386: one section, with a CLR header when asked."""
    clr_rva, clr_size = (0x1000, 0x48) if clr else (0, 0)
    file_header = struct.pack("<4sHHIIIHH", b"PE\0\0", MACHINE_I386, 1, 0, 0, 0, 0xE0, 0x0102)
    optional = struct.pack("<HBBIIIIII", 0x10B, 14, 0, 0x200, 0, 0, 0x1080, 0x1000, 0x2000)
    optional += struct.pack("<IIIHHHHHHIIII", 0x400000, 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0, 0x2000, 0x200, 0)
    optional += struct.pack("<HHIIIIII", 3, 0x8540, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    directories = bytearray(16 * 8)
    struct.pack_into("<II", directories, 14 * 8, clr_rva, clr_size)
    row = struct.pack("<8sIIIIIIHHI", b".text", 0x200, 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0x60000020)
    dos = dos_program().ljust(0x80, b"\0")
    headers = bytearray(dos + file_header + optional + directories + row)
    struct.pack_into("<I", headers, 0x3C, 0x80)
    il_only = struct.pack("<IHHIIII", 0x48, 2, 5, 0x1048, 0x38, 1, 0x06000001) if clr else b""
    body = il_only.ljust(0x48, b"\0").ljust(0x80, b"\0") + b"\x31\xc0\xc3"  # xor eax, eax; ret
    return bytes(headers.ljust(0x200, b"\0")) + body.ljust(0x200, b"\0")


def pe32() -> bytes:
    """A 32-bit program (valid on Windows, which has WOW64; refused where there is none)."""
    return _pe32(clr=False)


def dotnet() -> bytes:
    """A .NET program of intermediate language only (valid on Windows, where mscoree starts the runtime)."""
    return _pe32(clr=True)


ALL: tuple[Bad, ...] = (
    Bad("empty", empty, ERROR_BAD_EXE_FORMAT),
    Bad("text", text, ERROR_BAD_EXE_FORMAT),
    Bad("two_bytes", two_bytes, ERROR_BAD_EXE_FORMAT),
    Bad("dos_program", dos_program, ERROR_EXE_MACHINE_TYPE_MISMATCH),
    Bad("new_executable", new_executable, ERROR_EXE_MACHINE_TYPE_MISMATCH),
    Bad("linear_executable", linear_executable, None),
    Bad("header_beyond_end", header_beyond_end, None),
    Bad("header_negative", header_negative, None),
    Bad("wrong_signature", wrong_signature, None),
    Bad("truncated_headers", truncated_headers, ERROR_BAD_EXE_FORMAT),
    Bad("truncated_sections", truncated_sections, ERROR_BAD_EXE_FORMAT),
    Bad("section_beyond_end", section_beyond_end, ERROR_BAD_EXE_FORMAT),
    Bad("section_size_huge", section_size_huge, ERROR_BAD_EXE_FORMAT),
    Bad("sections_with_gap", sections_with_gap, ERROR_BAD_EXE_FORMAT),
    Bad("sections_overlapping", sections_overlapping, ERROR_BAD_EXE_FORMAT),
    Bad("image_size_too_small", image_size_too_small, ERROR_BAD_EXE_FORMAT),
    Bad("alignment_zero", alignment_zero, ERROR_BAD_EXE_FORMAT),
    Bad("alignment_odd", alignment_odd, ERROR_BAD_EXE_FORMAT),
    Bad("too_many_sections", too_many_sections, ERROR_BAD_EXE_FORMAT),
    Bad("machine_arm64", machine_arm64, ERROR_EXE_MACHINE_TYPE_MISMATCH),
    Bad("machine_unknown", machine_unknown, None),
    Bad("not_executable", not_executable, None),
    Bad("dll_as_program", dll_as_program, ERROR_BAD_EXE_FORMAT),
    Bad("dll_flag", dll_flag, ERROR_BAD_EXE_FORMAT),
    Bad("driver", driver, None),
    Bad("pe32", pe32, None),
    Bad("dotnet", dotnet, None),
)


def make(bad: Bad, directory: Path) -> Path:
    """Write one bad input into `directory` and return its path."""
    path = directory / f"{bad.name}.exe"
    path.write_bytes(bad.make())
    return path
