"""Cash: money of licensed issuers, paid, held for a purpose and redeemed."""
