"""The state machine: blocks in, receipts and a state root out. Start at `execute.py`."""
