"""Commands that are not derived from the catalogue, one module each, imported when they run."""
