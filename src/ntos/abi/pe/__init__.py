"""Portable Executable images: what they promise, how they are read, how they are written.

Windows reads an image three times. The memory manager checks its headers when a section object is made from
the file (``MiCreateImageFileMap``), the loader in user mode follows its directories (imports, exports,
relocations, TLS), and programs look up resources and exports in the mapped bytes for as long as they run.

Here the same three readers share one package without behaviour:

- ``headers``      parse and validate, with the statuses that ``NtCreateSection(SEC_IMAGE)`` gives
- ``image``        the in-memory layout of a file, and the protection of each section
- ``directories``  imports, delay and bound imports, TLS, load configuration, exception table, debug records
- ``exports``      names, ordinals, forwarders; lookup by hint and binary search
- ``relocations``  rebase an image
- ``resources``    the three-level resource tree
- ``build``        write a file: the synthesised images that Python DLLs live in

Begin with ``headers.parse_headers``; every reader takes a ``read(rva, size)`` callable, so the same code
serves files, mapped images in guest memory, and dumps.
"""
