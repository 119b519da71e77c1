"""Tallystick: a permissioned ledger for finance."""
