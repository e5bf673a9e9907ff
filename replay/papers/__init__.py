"""Papers: statements as people, spreadsheets and other programs take them.

``sheets`` says once what a statement shows, block by block, with typed cells; ``workbook`` (XLSX),
``page`` (HTML), ``print`` (PDF) and the tables of the terminal are made of these. ``beancount`` and
``hledger`` write the activity as journals that those programs check. Every paper of one statement
is the same bytes whenever and wherever it is made.
"""
