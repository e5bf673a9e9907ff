"""Reconciliations: what follows by rule against what the venue paid, printed or showed.

One module per desk: ``interest`` (hourly payouts), ``pool`` (states of a reserve), ``state``
(rebuilt against observed). Each returns values first: lines, breaks, totals and what they cover;
tables and files are made of them. ``whole`` asks a book for all that needs no history.
"""
