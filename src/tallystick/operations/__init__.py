"""Operating a node: its log, its doctor, its backups."""
