"""The doctor: small questions about one node, each with what to do when the answer is bad."""
