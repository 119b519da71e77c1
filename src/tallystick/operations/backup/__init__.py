"""A node's data as one file, and back again; `docs/operations/backup.md` says what is safe."""
