"""Drivers that run the published code of a system in the interpreter in which it runs, from a clone that the user has.

Nothing of a clone is copied or changed: its modules are imported, sizes are put in for random weights, and what they import but do not
need here is replaced by a stub. The drivers run under Python 3.9 and later, and use nothing of this project but one another.
"""
