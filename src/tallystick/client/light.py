"""Checking a consortium's proofs offline, against one trusted block of its validators.

proven = verify_export(export_from_bytes(data), trusted, Terms(now_ns=...))

Raises `HeaderRefused` when the headers are not believed, `BadAnswer` when the proof under them
proves nothing. The rules are those of CometBFT's light client (`engine/cometbft/light/verify.py`).
"""

from __future__ import annotations

from tallystick.client.verify import Proven
from tallystick.engine.cometbft.light.blocks import Header, LightBlock
from tallystick.engine.cometbft.light.export import Export, Trusted
from tallystick.engine.cometbft.light.verify import (
    Terms,
    check_block,
    check_fresh,
    follow,
    verify_backward,
)
from tallystick.errors import BadAnswer, HeaderRefused
from tallystick.ledger.block import app_hash_of

NS_PER_MS = 1_000_000


def verify_export(
    export: Export,
    trusted: Trusted | LightBlock,
    terms: Terms,
    *,
    key: bytes | None = None,
    transaction_id: bytes | None = None,
) -> Proven:
    """Check a proof to its last byte; that it is of a record's key or a transaction, if given."""
    verify_headers(export, trusted, terms)
    header = export.sealing.header
    if app_hash_of(export.receipts_root, export.state_root) != header.app_hash:
        raise BadAnswer(f"the roots are not those of the app hash in header {header.height}")
    height, block_ms = export.block.height, export.block.time_ns // NS_PER_MS
    if export.record is not None and export.receipt is None:
        if transaction_id is not None or (key is not None and export.record.key != key):
            raise BadAnswer("the proof is of something else")
        if not export.record.leads_to(export.state_root):
            raise BadAnswer("the path does not lead to the state root")
        return Proven(height, block_ms, export.record.record is not None)
    if export.receipt is not None and export.record is None:
        receipt = export.receipt.receipt
        if key is not None or transaction_id not in (None, receipt.transaction_id):
            raise BadAnswer("the proof is of something else")
        if not export.receipt.leads_to(export.receipts_root):
            raise BadAnswer("the path does not lead to the receipts root")
        return Proven(height, block_ms, True, receipt.outcome)
    raise BadAnswer("it proves neither a record nor a receipt")


def verify_headers(export: Export, trusted: Trusted | LightBlock, terms: Terms) -> None:
    """Believe the header that has the app hash, and the one before it."""
    sealing = export.sealing
    if isinstance(trusted, LightBlock):
        base: LightBlock | Header = trusted
        check_block(trusted, trusted.header.chain_id)
    else:
        base = _trusted_block(export, trusted)
    _check_blocks(export, base.chain_id if isinstance(base, Header) else base.header.chain_id)
    if isinstance(trusted, Trusted) and trusted.hash is None and isinstance(base, LightBlock):
        check_fresh(base.header, terms)  # its votes convince, not its hash
    if isinstance(base, Header) or base.height > sealing.height:
        _go_back(export, base if isinstance(base, Header) else base.header)
    elif export.back:
        raise BadAnswer(f"it was made for who trusts block {export.back[0].height}")
    elif base.height < sealing.height:
        later = [block for block in export.blocks if block.height > base.height]
        follow(base, later, terms)
    if any(b.height == base.height and b.header.hash != _hash(base) for b in export.blocks):
        raise HeaderRefused(base.height, "it is not the one that is trusted")
    verify_backward(sealing.header, export.block)


def _hash(block: LightBlock | Header) -> bytes:
    """Hash of the header."""
    return block.hash if isinstance(block, Header) else block.header.hash


def _trusted_block(export: Export, trusted: Trusted) -> LightBlock | Header:
    """What the export has at the trusted height, if it is what is trusted."""
    found: LightBlock | Header | None = next(
        (block for block in export.blocks if block.height == trusted.height), None
    )
    if found is None and export.back and export.back[0].height == trusted.height:
        found = export.back[0]
        if trusted.hash is None:
            raise BadAnswer(
                f"of block {trusted.height}, after the proof, the hash must be trusted:"
                " its votes are not in the proof"
            )
    if found is None:
        raise BadAnswer(
            f"block {trusted.height}, which is trusted, is not in the proof: have it made for that"
            " block (`tally prove --trusted HEIGHT`), or give the whole light block"
        )
    header = found if isinstance(found, Header) else found.header
    if trusted.chain_id and header.chain_id != trusted.chain_id:
        raise HeaderRefused(
            header.height, f"it is of chain {header.chain_id}, not of {trusted.chain_id}"
        )
    if trusted.hash is None and not (trusted.validators and trusted.chain_id):
        raise BadAnswer("without its hash, a block's chain and validators must be trusted")
    if not trusted.fits(header):
        raise HeaderRefused(header.height, "it is not the one that is trusted")
    return found


def _check_blocks(export: Export, chain_id: str) -> None:
    """Every light block is whole, and they rise: nothing in the file may be idle and altered."""
    height = 0
    for block in export.blocks:
        if block.height <= height:
            raise HeaderRefused(block.height, "it is not in order")
        height = block.height
        check_block(block, chain_id)


def _go_back(export: Export, trusted: Header) -> None:
    """From a later trusted header to the one with the app hash, by the hashes that each names."""
    newer, rest = trusted, export.back
    if rest and rest[0].height == trusted.height:
        if rest[0].hash != trusted.hash:
            raise HeaderRefused(trusted.height, "it is not the one that is trusted")
        rest = rest[1:]
    if newer.height != export.sealing.height + len(rest) + 1:
        raise BadAnswer(
            f"the headers between block {export.sealing.height} and block {newer.height},"
            " which is trusted, are not in the proof: have it made for that block"
            " (`tally prove --trusted HEIGHT`)"
        )
    for older in (*rest, export.sealing.header):
        verify_backward(newer, older)
        newer = older
