"""The pure parts of versions, message tables, SIDs, resources, folding, snapshots and atoms."""

from __future__ import annotations

import struct

from ntos.dll.kernel32 import atom, toolhelp
from ntos.dll.kernelbase import locale_info, message, resource_tree, sid, system_info, version
from ntos.rtl import sid as sids
from ntos.rtl.version import Version

TEN = Version(10, 0, 19041)


def test_a_program_without_a_manifest_is_told_windows_8() -> None:
    """GetVersionEx gives 6.2 without supportedOS, and the truth with Windows 10's (Microsoft Learn)."""
    assert (version.told(b"", TEN).major, version.told(b"", TEN).minor) == (6, 2)
    entry = b'<supportedOS Id="{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"/>'
    assert version.told(entry, TEN) == TEN


def test_a_message_is_found_by_its_number() -> None:
    """A message table has blocks of consecutive numbers (MESSAGE_RESOURCE_BLOCK)."""
    entries = b"".join(struct.pack("<HH", 12, 1) + text.encode("utf-16-le") + bytes(4) for text in ("on", "tw"))
    table = struct.pack("<IIII", 1, 7, 8, 16) + entries
    assert message.table_message(table, 8) == "tw"
    assert message.table_message(table, 9) is None


def test_a_string_is_one_of_sixteen() -> None:
    """A block of the string table holds sixteen counted strings (RT_STRING)."""
    block = b"\0\0" + b"\2\0" + "hi".encode("utf-16-le")
    assert resource_tree.string_of(block, 1) == "hi".encode("utf-16-le")
    assert resource_tree.string_of(block, 5) == b""


def test_well_known_sids_have_numbers() -> None:
    """WinBuiltinAdministratorsSid is 26; a domain's administrator needs the domain (winnt.h)."""
    assert sids.to_text(sid.well_known(26, None)) == "S-1-5-32-544"
    domain = sids.make(5, 21, 1, 2, 3)
    assert sids.to_text(sid.well_known(38, domain)) == "S-1-5-21-1-2-3-500"
    assert sid.is_well_known(sids.child(domain, 500), 38)


def test_digits_fold_to_ascii() -> None:
    """MAP_FOLDDIGITS makes every decimal digit an ASCII one (Microsoft Learn, FoldString)."""
    assert locale_info.fold("\u0663", locale_info.MAP_FOLDDIGITS) == "3"


def test_processor_relations_grow_a_group() -> None:
    """RelationAll of the Ex form lists the processor group too, 80 bytes long."""
    core = struct.pack("<QIIQQ", 1, 0, 0, 0, 0)
    data = system_info.extended_relations(core, 0xFFFF, 1)
    first = struct.unpack_from("<II", data)
    assert first == (0, 48)
    assert struct.unpack_from("<II", data, 48) == (4, 80)
    assert len(data) == 128


def test_a_snapshot_says_where_its_lists_begin() -> None:
    """Each row of a snapshot's header has start, count and cursor."""
    data = toolhelp.pack(([b"ab", b"cd"], [b"xyz"], [], []))
    assert toolhelp.ROW.unpack_from(data, toolhelp.ROW.size) == (toolhelp.HEADER_SIZE + 4, 1, 0)


def test_atoms_count_and_ignore_case() -> None:
    """An atom lives as long as it was added more often than deleted (Microsoft Learn, About Atom Tables)."""
    table = atom.Table()
    number = table.add("Name")
    assert table.add("NAME") == number >= atom.MAXINTATOM
    assert table.delete(number)
    assert table.find("name") == number
    assert table.delete(number)
    assert not table.find("name")
    assert atom.integer_atom("#12") == 12
