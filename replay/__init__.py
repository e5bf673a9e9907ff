"""Uses: who asks, and for what. Opens books, runs folds, answers, shows.

Nothing here knows what an event means (``projections``) or how it is stored (``ledger``).
"""
