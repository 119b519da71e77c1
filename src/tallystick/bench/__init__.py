"""Measures the node: transfers a second end to end, the kernel alone, and the roofs above both."""
