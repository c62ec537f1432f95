"""All hooks of a machine: which functions, in which processes; planted as modules come, taken away when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ntos.abi.pe import directories
from ntos.abi.status import GuestFault, NtError
from ntos.etw.event import HookedCall, ImportsSnapped
from ntos.hook.site import BREAKPOINT, Site
from ntos.hook.target import Target, image_of, images_of, resolve
from ntos.ke import service as services
from ntos.mm.manager import MemoryManager
from ntos.ps.manager import ProcessManager
from ntos.um import images

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.signature import Signature
    from ntos.etw.event import Event
    from ntos.hook.call import Call
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.mm.control import ControlArea
    from ntos.mm.vad import Vad

    Callback = Callable[[Call], Any]

INLINE, IAT = "inline", "iat"


class Hook:
    """One hook. Called with a function, it makes that its `before`, so that it serves as a decorator."""

    def __init__(self, hooks: Hooks, target: Target, how: str, process: int | str | None) -> None:
        self._hooks = hooks
        self.target = target
        self.how = how
        self.process = process
        self.before_call: Callback | None = None
        self.after_call: Callback | None = None
        self.replacement: Callback | None = None

    def __call__(self, function: Callback) -> Callback:
        return self.before(function)

    def before(self, function: Callback) -> Callback:
        """Call this before the function: it may change arguments, or answer in the function's place."""
        self.before_call = function
        return function

    def after(self, function: Callback) -> Callback:
        """Call this after the function: it may change the result."""
        self.after_call = function
        return function

    def replace(self, function: Callback) -> Callback:
        """Call this instead of the function: what it returns is the result."""
        self.replacement = function
        return function

    def remove(self) -> None:
        """Take the hook away everywhere; what it patched is as before."""
        self._hooks.remove(self)

    def concerns(self, process: Process) -> bool:
        """Whether it is for this process."""
        wanted = self.process
        if isinstance(wanted, str):
            return process.name.lower() == wanted.lower()[:14]
        return wanted is None or wanted == process.id


class Hooks:
    """The hooks of one machine; made when the first is set."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._hooks: list[Hook] = []
        self._sites: dict[tuple[int, int, str], Site] = {}
        """By process object, function and way."""
        memory = kernel[MemoryManager]
        memory.image_mapped.append(self._image_mapped)
        memory.image_unmapped.append(self._image_unmapped)
        kernel[ProcessManager].process_notify.append(self._process_changed)

    def add(
        self, target: str | int, how: str, process: int | str | None, before: Callback | None, after: Callback | None,
        replace: Callback | None,
    ) -> Hook:  # fmt: skip
        """Set a hook in all processes it concerns, now and later."""
        if how not in {INLINE, IAT}:
            raise ValueError(f"how={how!r}: a hook is 'inline' or 'iat'")
        hook = Hook(self, Target.parse(target), how, process)
        hook.before_call, hook.after_call, hook.replacement = before, after, replace
        if how == IAT and not any(each.how == IAT for each in self._hooks):
            self._kernel.log.subscribe(self._imports_snapped, ImportsSnapped)
        self._hooks.append(hook)
        for each in list(self._kernel.processes.values()):
            if each.threads:
                self._plant(hook, each)
        return hook

    def remove(self, hook: Hook) -> None:
        """Take a hook away; a place without hooks gets its bytes back."""
        if hook in self._hooks:
            self._hooks.remove(hook)
        for key, site in list(self._sites.items()):
            if hook in site.hooks:
                site.hooks.remove(hook)
                if not site.hooks:
                    site.restore()
                    self._forget(key)

    def tell(self, call: Call) -> None:
        """An `after` that tells of each call as an event."""
        arguments = {name: _plain(value) for name, value in call.arguments.items()}
        if not arguments:
            arguments = {str(index): call.arguments.raw(index) for index in range(4)}
        self._kernel.log.emit(
            HookedCall(
                module=call.module, name=call.name, arguments=arguments, result=_plain(call.result), caller=call.caller
            )
        )

    # ------------------------------------------------------------ what happens in the machine

    def _process_changed(self, process: Process, began: bool) -> None:  # noqa: FBT001 - as every notify routine
        if not began:
            for key in [key for key in self._sites if key[0] == process.address]:
                self._forget(key)
            return
        self._inherit(process)
        for hook in self._hooks:
            self._plant(hook, process)

    def _image_mapped(self, process: Process, vad: Vad, area: ControlArea) -> None:
        image = image_of(process, vad)
        if image is None or not process.threads:
            return  # a process's first images are seen when its first thread is there
        for hook in self._hooks:
            self._plant(hook, process)

    def _image_unmapped(self, process: Process, base: int, area: ControlArea) -> None:
        end = base + area.pages * 0x1000
        for key, site in list(self._sites.items()):
            if site.process is process and base <= site.target < end:
                self._forget(key)

    def _imports_snapped(self, event: Event) -> None:
        process = self._kernel[ProcessManager].process_by_id(event.process)
        if process is not None:
            for hook in self._hooks:
                if hook.how == IAT:
                    self._plant(hook, process)

    def _inherit(self, process: Process) -> None:
        """A clone has its parent's memory, breakpoints and all."""
        parent = int(process.eprocess.InheritedFromUniqueProcessId)
        for site in [site for site in self._sites.values() if site.process.id == parent]:
            try:
                same = process.memory.read(site.resume, 8) == site.process.memory.read(site.resume, 8)
                if not same or process.memory.read(site.place, 1) != BREAKPOINT:
                    return
            except GuestFault:
                return
            copy = Site(process, site.place, site.target, site.resume, site.module, site.name)
            copy.original, copy.slots, copy.hooks = site.original, list(site.slots), list(site.hooks)
            copy.signature = site.signature
            self._enter(copy, IAT if site.slots else INLINE)

    # ------------------------------------------------------------ planting

    def _plant(self, hook: Hook, process: Process) -> None:
        if not hook.concerns(process):
            return
        found = resolve(process, hook.target)
        if found is None:
            return
        address, module, name = found
        site = self._sites.get((process.address, address, hook.how))
        if site is None:
            try:
                make = Site.inline if hook.how == INLINE else Site.imported
                site = make(process, address, module, name)
            except (GuestFault, NtError, ValueError):
                return  # nothing there that could be hooked (yet)
            site.signature = signature_of(module, name)
            self._enter(site, hook.how)
        if hook not in site.hooks:
            site.hooks.append(hook)
        if hook.how == IAT:
            self._redirect(site, process)

    @staticmethod
    def _redirect(site: Site, process: Process) -> None:
        for image in images_of(process):
            try:
                imports = directories.imports(image.read, image.headers)
            except (GuestFault, NtError):
                continue
            for descriptor in imports:
                for index in range(len(descriptor.functions)):
                    site.redirect(image.base + descriptor.address_table + 8 * index)

    def _enter(self, site: Site, how: str) -> None:
        self._sites[site.process.address, site.target, how] = site
        self._kernel.planted[site.process.address, site.place] = site

    def _forget(self, key: tuple[int, int, str]) -> None:
        site = self._sites.pop(key)
        self._kernel.planted.pop((site.process.address, site.place), None)


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | None) else int(value.address)


def signature_of(module: str, name: str) -> Signature | None:
    """The declared signature of an export of ours, or of the service behind a stub of ntdll."""
    if images.available(module):
        door = images.exports_of(module).get(name)
        if door is not None:
            return door.signature
    if module == "ntdll" and name.startswith(("Nt", "Zw")):
        service = services.registry.get("Nt" + name[2:])
        return service.signature if service is not None else None
    return None
