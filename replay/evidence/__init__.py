"""Evidence: packs that another party can check without this program.

``pack`` writes one, ``report`` makes its page, ``assemble`` its ``verify.py``. The modules of
``verifier`` are what that file is made of: they use the standard library alone and share no line
with the rest of this program.
"""
