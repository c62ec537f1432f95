"""WS2_32.dll: Windows Sockets, on a machine without a network.

On Windows it keeps a catalogue of transport providers (mswsock for TCP/IP) and hands every call to the provider of
the socket's protocol. Here the catalogue is empty, as on a Windows without TCP/IP: Winsock starts, enumerates no
protocol, and cannot make a socket. So no value is ever a socket, and every call on one says so.
"""

from ntos.dll.ws2_32 import address, names, sockets, startup

__all__ = ["address", "names", "sockets", "startup"]
