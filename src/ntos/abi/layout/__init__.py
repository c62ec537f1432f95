"""Structures by family, at the offsets of one reference build.

Windows publishes the layout of its kernel structures in symbol files, and every debugger and forensic tool
reads memory by them. So do we: each class below is one structure of ntoskrnl 10.0.19041 (x64), each field
stands where the public symbols put it, and `tests/house/test_layouts.py` compares them all. Structures that
symbols do not hold (arguments and answers of services, the Win32 API) follow Microsoft's headers: `api`,
`process_info`, `file_info`, `system_info`, `win32` and their neighbours.

A class bears the structure's name without the leading underscore. An unnamed member is `Owner_member`. Unions
are structures whose fields overlap. 32-bit forms are classes of their own (`PEB32`). Enumerations: `enums`.

Begin with `list` and `dispatcher`, then `process`, `thread`, `object`; for user mode with `peb` and `user`.
"""
