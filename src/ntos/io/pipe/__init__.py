r"""Named pipes: \Device\NamedPipe, the file system whose files are conversations.

In Windows npfs.sys keeps, for each name, the pipe's type and quotas, and its instances; an instance has a
server end, perhaps a client end, and two queues. A queue holds either data that nobody has read or reads that
nobody has fed. Anonymous pipes are named pipes whose name nobody tells.

`queue` is the heart: what a read and a write do to each other. `instance` holds the states (listening,
connected, closing, disconnected), `driver` the requests.
"""
