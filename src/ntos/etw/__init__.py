"""What happens is an event: one typed stream that traces, reports, the debugger and tests subscribe to.

Windows has Event Tracing: providers write typed events, sessions subscribe, nobody prints. So it is here. A kernel
module calls `log.emit(ProcessCreated(...))`; who listens is none of its business. Where nobody listens for a kind
of event, `log.wants(kind)` is false and the event is not even made.

`event` holds the vocabulary (each class is one kind, and its fields are the schema of the JSON lines), `log` the
stream, `sink` the trace file and the `-v` printer.
"""
