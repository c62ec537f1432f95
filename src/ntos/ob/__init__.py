r"""The object manager: one way to make, name, find, protect, count and share whatever the kernel offers.

In Windows every kernel thing that user mode can hold is an object: a body that its component defines, behind
a header that the object manager defines. The header counts references and handles and says the type; the type
says what to do when an object is opened, closed, deleted, looked up below. Names are objects too: directories
and symbolic links make one tree, and where a type has a parse procedure the tree goes on inside another
component (`\Device\HarddiskVolume1\…` in io, `\REGISTRY\…` in cm).

Here headers, types, directories and handle tables are true bytes in pool; beside each body stands exactly one
Python object, found by address (`ObjectManager.objects`), and an `ObjectType` declares how it is wrapped. A
component above registers its types and sets their procedures: this is the only way up.

Begin with `types` and `object` (what an object is), then `namespace` (how a name is walked), `insert` (create
and open), `handle` (from a handle to the object and back). `services` and `name_services` are the system
services.
"""

from ntos.ob.attributes import Attributes, capture, read_unicode_string
from ntos.ob.boot import (
    add_directory,
    add_link,
    add_permanent,
    bootstrap,
    create_handle_table,
    create_session,
    directory,
)
from ntos.ob.directory import DIRECTORY, Directory, delete_name_if_unused, full_name, name_of
from ntos.ob.globals import publish
from ntos.ob.handle import (
    by_handle,
    close,
    close_all,
    close_in,
    duplicate_into,
    granted,
    inherit_handles,
    insert_handle,
    referenced,
    waitable,
)
from ntos.ob.insert import (
    create_or_open,
    insert,
    make_permanent,
    make_temporary,
    open_by_name,
    open_by_pointer,
)
from ntos.ob.manager import TYPE, ObjectManager
from ntos.ob.namespace import lookup
from ntos.ob.object import (
    at_address,
    create,
    dereference,
    handle_count,
    header_of,
    pointer_count,
    reference,
)
from ntos.ob.symlink import SYMBOLIC_LINK, SymbolicLink, create_link
from ntos.ob.types import Body, GenericMapping, KernelObject, ObjectType, ParseRequest, Reparse

__all__ = [
    "DIRECTORY", "SYMBOLIC_LINK", "TYPE", "Attributes", "Body", "Directory", "GenericMapping",
    "KernelObject", "ObjectManager", "ObjectType", "ParseRequest", "Reparse", "SymbolicLink",
    "add_directory", "add_link", "add_permanent", "at_address", "bootstrap", "by_handle", "capture",
    "close", "close_all", "close_in", "create", "create_handle_table", "create_link", "create_or_open",
    "create_session", "delete_name_if_unused", "dereference", "directory", "duplicate_into", "full_name",
    "granted", "handle_count", "header_of", "inherit_handles", "insert", "insert_handle", "lookup",
    "make_permanent", "make_temporary", "name_of", "open_by_name", "open_by_pointer", "pointer_count",
    "publish", "read_unicode_string", "reference", "referenced", "waitable",
]  # fmt: skip
