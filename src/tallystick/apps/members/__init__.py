"""Institutions, their people and keys, licences, signing rules and the orders of authorities."""
