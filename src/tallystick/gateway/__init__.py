"""The only way in for writing: decode, check, verify in batches, hand to the engine, answer."""
