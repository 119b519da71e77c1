"""What a node knows of invoices: whether one is taken, and which parties are members."""

from __future__ import annotations

from tallystick.client.client import Client
from tallystick.formats.fingerprint import Fingerprint


class NodeRegistry:
    """Asks a node; it never says by whom an invoice is taken."""

    def __init__(self, client: Client) -> None:
        """Ask through this client."""
        self._client = client

    def __call__(self, document: Fingerprint, /) -> bool:
        """Is a document of that fingerprint registered?"""
        answer = self._client.query(
            "documents", "is_taken", strict=document.strict, relaxed=document.relaxed
        )
        return bool(answer["is_taken"])

    def parties(self) -> dict[str, str]:
        """Register numbers of the members, with their ids."""
        return {
            str(each["number"]): str(member["member_id"])
            for member in self._client.query("members", "members")
            for each in member["numbers"]
        }
