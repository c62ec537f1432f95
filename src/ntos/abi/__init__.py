"""What Windows promises: types, structures, status codes, access masks, the PE format. No behaviour.

Windows fixes these things in header files and in the bytes of its binaries: a program compiled elsewhere relies
on every offset and every number. We write them once, here, for one reference build (Windows 10 x64, the 19041
family), and a house test compares each offset with that build's public symbols.

Begin with `types` (integers with a size), `struct` (structures as views on guest bytes) and `pointer` (the three
words for guest pointers); `layout/` holds the structures by family, `data/` the long tables.
"""
