"""sechost.dll: what moved out of advapi32 below the service controller.

On Windows it holds the SDDL converters and the service functions, and advapi32 calls it.

Here the converters stand in advapi32 and sechost's names lead there (`entry`).
"""
