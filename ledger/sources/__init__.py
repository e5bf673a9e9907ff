"""Sources: where records come from. Here bytes are fetched, and nothing of them is understood.

A source hands over a ``RawRecord``: the bytes, the name they had, their digest. What they say is
read by ``ledger.importers``, which know no source. A source may open files and sockets; it never
decides what a record is.
"""
