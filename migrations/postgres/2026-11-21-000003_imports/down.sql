DROP TABLE imported_members;
DROP TABLE import_lock;
DROP TABLE imports;
