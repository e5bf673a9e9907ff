"""Read model: a book's answers as plain, typed, indexed tables in a file of their own.

``NAME.views`` is SQLite for people who know SQL. It is derived and disposable: every figure in it
follows from the book, and a file that is lost or doubted is made again. Nothing is computed here
that is not computed elsewhere: rows are what folds, checks and judgements say.

``columns`` says what a column is, ``tables`` which there are, ``walk`` folds one account and gives
its rows, ``wholes`` asks what can only be said of a whole history, ``build`` keeps a file up to
date, ``swap`` puts it in its place, ``queries`` and ``metadata`` are for those who look at it.
"""
