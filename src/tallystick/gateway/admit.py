"""Which bytes may come in at all: size, form, chain, horizon, signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tallystick.engine.verdicts import Verdicts
from tallystick.ledger.app import Message
from tallystick.ledger.execute import Ledger
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import Body, Transaction

Early = Mapping[type[Message], int]
"""Messages of rules that are not in force yet, and the version that is."""


class Admission:
    """Reads and verifies transactions, many at a time. For any thread."""

    def __init__(
        self, ledger: Ledger, verdicts: Verdicts, *, early: Callable[[], Early] = dict
    ) -> None:
        """Admit what belongs to the ledger's chain.

        `early` names messages that may be in no block yet: in a consortium nodes of an older
        release could not read them.
        """
        self._ledger = ledger
        self._verdicts = verdicts
        self._early = early

    @property
    def signatures(self) -> int:
        """Signatures verified so far by the node."""
        return self._verdicts.signatures

    def admit(self, raws: Sequence[bytes], now_ms: int) -> list[Transaction | Refused]:
        """For each in order: the transaction, or why it does not come in.

        Whether it has expired is not asked here: only a committed block's time can tell.
        """
        batch = self._verdicts.open(raws)
        decode, chain_id = self._ledger.codec.decode_opened, self._ledger.chain_id
        last_ms, early = now_ms + self._ledger.genesis.horizon_ms, self._early()
        read: list[Transaction | Refused] = []
        for raw, opened in zip(raws, batch.opened, strict=True):
            try:
                transaction = decode(raw, opened)
                body = transaction.body
                if early or body.chain_id != chain_id or body.expires_at_ms > last_ms:
                    self._check(body, last_ms, early)
            except Refused as no:
                read.append(no.kept())
            else:
                read.append(transaction)
        for place, bad_key in self._verdicts.bad_keys(batch, read).items():
            read[place] = Refused(Refusal.BAD_SIGNATURE, {"public_key": bad_key.hex()})
        return read

    def _check(self, body: Body[Any], last_ms: int, early: Early) -> None:
        """Refuse what is another chain's, beyond the horizon, or asked for too early."""
        require(body.chain_id == self._ledger.chain_id, Refusal.WRONG_CHAIN, chain_id=body.chain_id)
        require(
            body.expires_at_ms <= last_ms,
            Refusal.EXPIRY_TOO_FAR,
            expires_at_ms=body.expires_at_ms,
            horizon_ms=self._ledger.genesis.horizon_ms,
        )
        for call in body.calls:
            kind = type(call.message)
            version = early.get(kind, 0)
            require(kind not in early, Refusal.NOT_ACTIVE, message=kind.__name__, version=version)
