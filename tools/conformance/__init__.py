"""Wine's own conformance tests, fetched as Debian's source package, built here, run on ntos and beside it on Wine.

Nothing of Wine's enters the project: source and programs stay in the user's cache. `python -m tools.conformance`
does all of it and writes the table of docs/conformance.md; tests/real/test_conformance.py asserts that what the table
records does not fall.
"""
