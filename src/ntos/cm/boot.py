r"""How the registry comes up: `\REGISTRY` in the object namespace, hives, and what a fresh machine has.

The contents are data (`data/*.toml`): a table per key, `name = value`. A string is REG_SZ, a number
REG_DWORD, a list REG_MULTI_SZ; `{ expand = "…" }`, `{ qword = 1 }`, `{ hex = "00 01" }` and `{ link = "…" }`
say the other types. `<machine>`, `<user>`, `<sid>`, `<guid>` stand for what differs from machine to machine.
"""

from __future__ import annotations

import random
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from ntos import ob
from ntos.abi.registry import REG_EXPAND_SZ, REG_LINK, REG_QWORD
from ntos.cm import sam
from ntos.cm.key import KEY, open_node
from ntos.cm.node import LINK_VALUE, KeyNode
from ntos.cm.registry import Registry
from ntos.cm.values import encode
from ntos.ke.kernel import Kernel
from ntos.ob.manager import ObjectManager
from ntos.rtl import sddl
from ntos.rtl import sid as sids
from ntos.se import descriptor as descriptors
from ntos.se.account import FIRST_USER_RID, Accounts

MACHINE_FILES = ("software", "system", "hardware", "classes")
USER_FILE = "user"

MACHINE_SECURITY = "O:BAG:SYD:PAI(A;CI;KR;;;BU)(A;CI;KA;;;BA)(A;CI;KA;;;SY)(A;CIIO;KA;;;CO)(A;CI;KR;;;AC)"
READ_ALL_SECURITY = "O:BAG:SYD:(A;CI;KR;;;WD)(A;CI;KR;;;AC)(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;RC)"
PRIVATE_SECURITY = "O:BAG:SYD:P(A;CI;KA;;;SY)(A;CI;RCWD;;;BA)"
HIVES: tuple[tuple[str, str, bool], ...] = (
    (r"MACHINE\SYSTEM", MACHINE_SECURITY, False),
    (r"MACHINE\SOFTWARE", MACHINE_SECURITY, False),
    (r"MACHINE\HARDWARE", READ_ALL_SECURITY, True),
    (r"MACHINE\SAM", PRIVATE_SECURITY, False),
    (r"MACHINE\SECURITY", PRIVATE_SECURITY, False),
    (r"USER\.DEFAULT", MACHINE_SECURITY, False),
)
"""Path below the root, descriptor, whether the hive is volatile."""


def install(kernel: Kernel) -> Registry:
    r"""Bring the registry up (CmInitSystem1): `\REGISTRY`, the hives, their contents. Wants `ob` and `se`."""
    kernel[ObjectManager].register(KEY)
    registry = Registry(kernel)
    kernel.install(registry)
    registry.root.security = security_of(READ_ALL_SECURITY)
    ob.add_permanent(kernel, "REGISTRY", open_node(kernel, registry.root))
    for path in ("MACHINE", "USER"):
        registry.key(path, create=True).hive_root = True
    for path, text, volatile in HIVES:
        mount(registry, path, text, volatile=volatile)
    for name in ("S-1-5-18", "S-1-5-19", "S-1-5-20"):
        _mount_user(registry, name, sids.from_text(name))
    for name in MACHINE_FILES:
        load(registry, name, "")
    sam.install(registry, kernel.part(Accounts))
    for user in kernel.part(Accounts).users:
        if sids.sub_authorities(user.sid)[-1] >= FIRST_USER_RID:
            mount_user(registry, user.sid, user.name)
    for path in (r"USER\.DEFAULT", r"USER\S-1-5-18"):
        load(registry, USER_FILE, path)
    return registry


def security_of(text: str) -> bytes:
    """The descriptor this SDDL text describes, for keys."""
    return descriptors.mapped(sddl.parse(text), KEY.mapping).to_bytes()


def mount(registry: Registry, path: str, security: str, *, volatile: bool = False) -> KeyNode:
    """The root of a hive at a path: an empty key that cannot be deleted (NtLoadKey would put a file's
    there).
    """
    node = registry.key(path, create=True, volatile=volatile)
    node.hive_root = True
    node.security = registry.intern(security_of(security))
    return node


def mount_user(registry: Registry, sid: bytes, name: str) -> KeyNode:
    r"""A user's profile: the hive `USER\<SID>`, and `<SID>_Classes` with the link to it in Software."""
    text = sids.to_text(sid)
    node = _mount_user(registry, text, sid)
    _mount_user(registry, f"{text}_Classes", sid)
    load(registry, USER_FILE, rf"USER\{text}", user=name, sid=text)
    software = registry.key(rf"USER\{text}\Software")
    link = registry.create(software, "Classes")
    link.is_link = True
    registry.set_value(link, LINK_VALUE, REG_LINK, encode(rf"\REGISTRY\USER\{text}_Classes", REG_LINK)[1])
    return node


def _mount_user(registry: Registry, name: str, sid: bytes) -> KeyNode:
    owner = sids.to_text(sid)
    text = f"O:BAG:SYD:PAI(A;CI;KA;;;{owner})(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;RC)"
    return mount(registry, rf"USER\{name}", text)


# ---------------------------------------------------------------- contents


def load(registry: Registry, name: str, below: str, **places: str) -> None:
    """Put the contents of `data/<name>.toml` into the tree, below a path."""
    replacements = {**_places(registry.kernel), **places}
    for path, values in _contents(name).items():
        full = _fill(f"{below}\\{path}" if below else path, replacements)
        node = registry.find(full) or _make(registry, full, values)
        for value_name, content in values.items():
            kind, data = _encode(content, replacements)
            registry.set_value(node, LINK_VALUE if kind == REG_LINK else value_name, kind, data)


@cache
def _contents(name: str) -> dict[str, dict[str, Any]]:
    """A data file, read once a host process (3 ms for all of them; every user's hive begins as the same file)."""
    return tomllib.loads(resources.files("ntos.cm").joinpath("data", f"{name}.toml").read_text(encoding="utf-8"))


def _make(registry: Registry, path: str, values: dict[str, Any]) -> KeyNode:
    node = registry.key(path, create=True)
    node.is_link = any(isinstance(content, dict) and "link" in content for content in values.values())
    return node


def _places(kernel: Kernel) -> dict[str, str]:
    accounts = kernel.part(Accounts)
    numbers = random.Random(f"machine GUID {accounts.domain.hex()}")
    guid = f"{numbers.getrandbits(128):032x}"
    first = next((u for u in accounts.users if sids.sub_authorities(u.sid)[-1] >= FIRST_USER_RID), None)
    return {
        "machine": accounts.machine,
        "guid": "-".join((guid[:8], guid[8:12], guid[12:16], guid[16:20], guid[20:])),
        "user": first.name if first is not None else "user",
        "sid": sids.to_text(first.sid) if first is not None else "S-1-5-18",
    }


def _fill(text: str, places: dict[str, str]) -> str:
    if "<" in text:
        for name, value in places.items():
            text = text.replace(f"<{name}>", value)
    return text


def _encode(content: Any, places: dict[str, str]) -> tuple[int, bytes]:
    """Type and bytes of what a data file says."""
    if isinstance(content, str):
        return encode(_fill(content, places))
    if isinstance(content, list):
        return encode([_fill(item, places) for item in content])
    if not isinstance(content, dict):
        return encode(int(content))
    ((kind, value),) = content.items()
    if kind == "expand":
        return encode(_fill(value, places), REG_EXPAND_SZ)
    if kind == "link":
        return encode(_fill(value, places), REG_LINK)
    if kind == "qword":
        return encode(int(value), REG_QWORD)
    if kind == "hex":
        return encode(bytes.fromhex(value))
    raise ValueError(f"unknown kind of value: {kind}")
