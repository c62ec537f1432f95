"""psapi.dll: what programs linked before Windows 7 import.

On Windows its functions call kernel32's of the same name with `K32` before it.

Here they are forwarders (`entry`).
"""
