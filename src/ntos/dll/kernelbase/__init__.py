"""kernelbase.dll: the Win32 base API.

On Windows kernel32 is a facade since version 7: most of its functions jump to kernelbase, which turns Win32's words
(strings, flags, BOOL and last error) into NT's (UNICODE_STRING, attributes, statuses) and calls ntdll.

Here every function is one `@export`. It asks the kernel only by system services (`services.nt`) and ntdll only by
its exports (`services.rtl`), so either neighbour may be a real one. An `…A` function is made from its `…W` twin
(`text.export_both`). Modules follow the API sets' headers.

Begin with `objects` (attributes, names, timeouts), `text`, then `file` and `create` (CreateProcess).
"""

# ruff: noqa: F401 - importing a module declares its exports
from ntos.dll.kernelbase import (
    acl,
    attribute_list,
    codepage,
    completion,
    console,
    console_attach,
    console_input,
    copy,
    create,
    datafile,
    debug,
    debug_output,
    directory,
    entry,
    environment,
    error,
    fiber,
    fiber_switch,
    file,
    file_handle,
    file_info,
    file_io,
    find,
    handle,
    heap,
    heap_global,
    job,
    locale,
    locale_info,
    locks,
    memory,
    memory_app,
    message,
    module,
    object_security,
    objects,
    own,
    path_cch,
    pipe,
    process,
    registry,
    registry_read,
    registry_values,
    remote_modules,
    resource,
    resource_tree,
    search,
    services,
    sid,
    storage,
    string,
    sync,
    system_info,
    system_query,
    text,
    thread,
    threadpool,
    time,
    token,
    url,
    version,
    volume,
    volume_names,
    wer,
)
