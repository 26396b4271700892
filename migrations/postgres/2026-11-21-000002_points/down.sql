DROP FUNCTION transfer_points(BIGINT, BIGINT, BIGINT, TEXT, TEXT, TEXT, TIMESTAMPTZ);
DROP TABLE point_holds;
DROP TABLE point_entries;
DROP FUNCTION point_entries_refuse();
DROP TABLE ledger_purges;
DROP TABLE point_accounts;
DROP TABLE levels;
