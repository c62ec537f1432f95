r"""The registry: a tree of keys with values, in which Windows and its programs keep what they know.

In Windows the configuration manager maps hive files, whose cells hold keys and values, and parses names below
`\REGISTRY` for the object manager. Each open makes a key object (`CM_KEY_BODY`) that refers to the key
control block of its key; control blocks name the key and its parent, and live while somebody has the key
open.

Here the tree is Python (`node`) and stands for the hives; key objects and control blocks are true bytes, so
that a debugger or a dump shows which keys a process has open. What a fresh machine's registry holds is data
(`data/*.toml`). Hive files are not read yet: `boot.mount` is the door they will come in by.

Begin with `node`, then `key` (how a name is parsed, where access is checked); `registry` is the way in for
Python code: `kernel[Registry].get(r"MACHINE\SOFTWARE\…", "ProductName")`. The services stand in
`key_services`, `value_services` and `notify_services`.
"""

from ntos.cm.boot import install, mount, mount_user
from ntos.cm.key import KEY, Key
from ntos.cm.node import KeyNode
from ntos.cm.registry import Registry
from ntos.cm.values import Value

__all__ = ["KEY", "Key", "KeyNode", "Registry", "Value", "install", "mount", "mount_user"]
