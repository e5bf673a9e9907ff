"""Meanings: what follows from recorded facts; pure, with no file, clock or randomness.

Postings, folds, views and checks live here. What was recorded is ``ledger``'s, who asks is
``replay``'s. Start with ``postings``, then ``balances``, the shortest projection.
"""
