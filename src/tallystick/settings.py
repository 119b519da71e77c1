"""Names and limits that every part shares and nothing else may redefine."""

VERSION = "0.1.0"
"""Release of this package."""
