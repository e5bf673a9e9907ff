"""The page: an account through time, for looking at; served on this machine, and nothing written.

``guard`` decides who is answered at all, ``app`` which question a path asks, ``pages_*`` answer it
from the same functions the command line uses, ``templates`` show it. ``clerk`` is a
thread that reads the book: one answers what is quick, another what may take long.

No meaning is made here, nothing is calculated twice, and no clock is read.
"""
