"""The state machine: blocks of transactions in, receipts and a state root out. Start at `execute.py`."""
