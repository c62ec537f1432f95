"""Where events go: JSON lines for `--trace`, one readable line each for `-v`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ntos.etw import event as events

if TYPE_CHECKING:
    from typing import BinaryIO, TextIO

    from ntos.etw.event import Event
    from ntos.etw.log import Log


class TraceFile:
    """Every event as one JSON object per line; the first line names the schema."""

    def __init__(self, log: Log, file: BinaryIO) -> None:
        self._file = file
        self._encoder = msgspec.json.Encoder(enc_hook=str)
        self._buffer = bytearray()
        log.subscribe(self._write)

    def _write(self, event: Event) -> None:
        self._encoder.encode_into(event, self._buffer, len(self._buffer))
        self._buffer += b"\n"
        if len(self._buffer) > 0x10000:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the file."""
        self._file.write(self._buffer)
        self._buffer.clear()
        self._file.flush()

    def close(self) -> None:
        """The last of it; the file is closed."""
        self.flush()
        self._file.close()


class VerbosePrinter:
    """`-v`: services and exports as they are called, and what else happens, with decoded arguments.

    With `kinds`, events of these kinds alone.
    """

    def __init__(self, log: Log, stream: TextIO, *kinds: type[Event]) -> None:
        self._stream = stream
        log.subscribe(self._print, *kinds)

    def _print(self, event: Event) -> None:
        self._stream.write(f"{event.process:5}.{event.thread:<5} {line(event)}\n")


def line(event: Event) -> str:
    """One readable line for an event."""
    match event:
        case events.ServiceCalled():
            results = f" {_arguments(event.results)}" if event.results else ""
            return f"{event.name}({_arguments(event.arguments)}) = 0x{event.status:08X}{results}"
        case events.ExportCalled() | events.HookedCall():
            text = f"{event.module}!{event.name}({_arguments(event.arguments)})"
            return f"{text} = {_value(event.result)}  from {event.caller}"
        case events.Missing():
            values = ", ".join(_value(value) for value in event.arguments)
            return f"MISSING {event.module}!{event.name}({values}) called from {event.caller}"
        case events.Refused():
            flip = f"; would pass with: {event.flip}" if event.flip else ""
            return f"REFUSED {event.name}: {event.status_name} by {event.rule} {event.inputs}{flip}"
        case events.CreationStep():
            return f"STAGE {event.stage} {event.routine} {_arguments(event.details)}".rstrip()
        case events.CreationDecision():
            return f"DECIDED {event.rule}: {event.outcome} {_arguments(event.inputs)}".rstrip()
        case events.ExceptionRaised():
            chance = "first" if event.first_chance else "second"
            return f"EXCEPTION {event.code_name} at {event.location} ({chance} chance)"
    fields = {
        name: getattr(event, name) for name in event.__struct_fields__ if name not in ("time", "process", "thread")
    }
    return f"{type(event).__struct_config__.tag} {_arguments(fields)}"


def _arguments(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return repr(value)
    return str(value) if -10 < value < 10 else f"0x{value & 0xFFFF_FFFF_FFFF_FFFF:X}"
