"""The story: ten institutions, real invoices, 97 days. `make run` plays it on a node of its own."""
