DROP TABLE point_holds;
DROP TABLE point_entries;
DROP TABLE ledger_purges;
DROP TABLE point_accounts;
DROP TABLE levels;
