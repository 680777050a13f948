"""The wiring: settings, addresses, workers, roles, the home page, embedded engines, the demo shop."""

import gc

#: A process makes a quarter of a million objects before its first work, and none of them is garbage; to look for some after each
#: seven hundred took a tenth of the processor time of its start. What goes round in circles may wait for ten thousand.
gc.set_threshold(10_000, 20, 20)
