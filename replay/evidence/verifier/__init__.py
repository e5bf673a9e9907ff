"""The verifier of a pack, in pieces; ``replay.evidence.assemble`` joins them into ``verify.py``.

Written anew from ``docs/spec``: nothing here imports ``ledger``, ``projections`` or another part of
``replay``, and nothing but the standard library. In order: ``canon``, ``merkle``, ``ed25519``,
``container``, ``chains``, ``kinds``, ``course``, ``engine``, ``state``, ``claims``, ``verdict``.
"""
