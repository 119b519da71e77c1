"""An audit: `replay.py` executes what a data folder holds again; `reading.py` reads it ahead."""

from tallystick.audit.replay import Audited, AuditReport, Progress, audit, audited

__all__ = ["AuditReport", "Audited", "Progress", "audit", "audited"]
