"""Values: money, intervals, rates, ids, days, calendars and the one encoding of all of them.

Everything here is pure: no clock, no float, no input or output. Nothing of ours is imported.
"""
