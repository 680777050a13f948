"""Two rows that are one person become one, and can become two again.

`tables` finds what refers to a customer, `moving` brings rows over and back, `details` the columns of the row itself and what
they chose, `consents` which answer holds, `merge` and `undo` do it all in one transaction, `plan` says beforehand what would
happen, `suggesting` finds whom it may concern.
"""
