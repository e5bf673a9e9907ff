"""Dispute: what happened before a liquidation, what if it had been otherwise, and by how little.

A what-if is an overlay on the timeline, never a write: the same book, read as if a person had
recorded something else last. ``what_if`` shows two accounts side by side; ``minimal`` looks for the
smallest change that would have avoided a liquidation.
"""
