"""An application that executes up to a height and no further, for an upgrade of the program."""

from __future__ import annotations

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.application import Application
from tallystick.errors import Halted


class UntilHeight(Application):
    """The application; beyond `halt_height` it votes for nothing and executes nothing."""

    halt_height = 0
    """Last block that is executed; 0 for no end."""

    def process_proposal(
        self, request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """Vote as ever, up to the height."""
        if self._is_beyond(request.height):
            return abci.ResponseProcessProposal(status=abci.ResponseProcessProposal.REJECT)
        return super().process_proposal(request)

    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        """Execute as ever, up to the height; the next block is for the next release."""
        if self._is_beyond(request.height):
            raise Halted(request.height, f"this node stops after block {self.halt_height}")
        return super().finalize_block(request)

    def _is_beyond(self, height: int) -> bool:
        return 0 < self.halt_height < height
