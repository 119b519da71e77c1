"""The node's door for machines: HTTP over a Unix socket, or TCP with mutual TLS."""
