"""What a power cut may leave on the disks, built from the system calls of a run under load.

`record` takes the calls of the running processes with strace, `trace` reads them, `disk` says which states of the files
a cut may leave, `survivors` starts the real programs on such a state, and `cuts` makes many cuts and counts.
"""
