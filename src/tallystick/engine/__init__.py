"""Who orders transactions into blocks and brings the time. `base.py` is the seam."""
