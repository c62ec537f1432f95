"""OLEAUT32.dll: automation: strings with a length (BSTR) and values with a type (VARIANT).

A BSTR's bytes are counted by the four before it; a NUL follows. Windows keeps freed ones in a cache; here they go
back to the process heap at once.

Begin with `bstr`, then `variant`.
"""

from ntos.dll.oleaut32 import bstr, variant

__all__ = ["bstr", "variant"]
