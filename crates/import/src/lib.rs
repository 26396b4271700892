//! Importers of legacy community data into Guildhall: SQLite bot databases and JSON user stores; idempotent, resumable.
