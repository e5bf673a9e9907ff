"""Facts: what was recorded, exactly as it was recorded, and nothing that follows from it.

Here live the events, the exact numbers they carry, their canonical bytes, the book they are
written into, the seals over it, and the readers of venue records. What an event *means* lives in
``projections``; who asks, in ``replay``. Neither may be imported here.

Start with ``events`` (the dictionary), then ``entries``, ``timeline``, ``book``.
"""
