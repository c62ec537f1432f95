"""National language support: code pages, character types, collation, and what a locale prefers.

**How Windows does it.** Tables (`C_1252.NLS`, `SortDefault.nls`, `locale.nls`) mapped into every process, and
routines in kernelbase.dll over them. Strings compare ordinally in the kernel and linguistically in programs.

**How we do it.** Python's codecs and Unicode database are the tables; what Windows adds (best fit, its own
character types, en-US preferences) stands beside them. One locale, `en-US`, and the invariant one.

**Where to begin.** `codepage` for bytes and text; `collation` for CompareString; `locale` for GetLocaleInfo.
"""
