"""The slider: one account, as known at one position, at any instant one may stop at.

::

    from replay.slider import Slider

    slider = Slider(audit.account("0x…"), position=audit.position())
    slider.at(ms).balances          # the same Instant as account.at(…), with its digest
    slider.neighbours(ms)           # moments of the previous and the next event
    slider.step(ms)                 # the same with hours, and how many events are one step
    slider.margin(ms)               # what Instant.margin says, what it reads kept at hand
    slider.lanes(points=600)        # lines through time, for drawing
    slider.begun(600).go_on()       # the same slice by slice: None until they are drawn
    slider.marks                    # events on the lines
    slider.ghost(position)          # the lines as known at another position

**Positions of the slider** are the moments of the account's events in effective order, and the
full hours (UTC) between the first and the last. Events of one millisecond are one step. Nothing
here holds a truth of its own: states are the engine's, margin is the assembler's, worth is the
valuation's; each equals what a fold from nothing says. What is kept in memory is bounded, and a
``Slider`` may be asked from several threads.
"""

from __future__ import annotations

from replay.slider.lanes import Cause, Lane, Lanes
from replay.slider.marks import Mark
from replay.slider.slider import Slider, UnderWay
from replay.slider.steps import Step, Steps

__all__ = ["Cause", "Lane", "Lanes", "Mark", "Slider", "Step", "Steps", "UnderWay"]
