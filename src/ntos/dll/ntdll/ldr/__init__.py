"""The image loader: from a name to a module whose DllMain has run.

`search` finds the file and remembers every place it looked; `load` maps it and what it needs; `snap` fills
import tables; `graph` orders initialisation by dependencies; `init` starts a process and its threads;
`unload` and `shutdown` go the way back. `api` and its siblings are the exports. Where a state is visible to
programs it is bytes (`module`, `graph`); `state.Loader` keeps only what is quick to find again.
"""
