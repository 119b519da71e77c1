"""What a node keeps on disk: the block log, which is the truth, and the state store behind it.

`base.py` has the seams, `log.py` the log (`entry.py` its bytes, `scan.py` how it is read back,
`check.py` the audit of it), `rocks.py`, `lsm.py` and `memory.py` the three state stores, `kinds.py`
which of them a folder belongs to, `disk.py` the real disk.
"""
