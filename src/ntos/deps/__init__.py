"""What a program would load, answered from its files alone.

Windows decides at load time: the loader walks the import tables breadth first, and for each name applies API
sets, DLL redirection, side-by-side manifests, the list of loaded modules, KnownDLLs, and then directories in a
documented order. Nobody keeps the reasons; a failed start shows one name.

Here the same walk is made over files on the host, and each decision keeps every place it tried as data
(`search.Step`). A real Windows folder may be given; else the modules of the reference build stand in for it.

Begin with `walk.Analysis`: it gives a `graph.Graph`. `why` tells one decision, `hijack` the places where a
planted DLL would win, and `render` prints.
"""
