CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('running', 'finished', 'undone')),
    checkpoint TEXT,
    started_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE UNIQUE INDEX imports_source ON imports (source);

-- One row: who may import now.
CREATE TABLE import_lock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    owner TEXT,
    leased_until INTEGER
) STRICT;
INSERT INTO import_lock (id) VALUES (1);

CREATE TABLE imported_members (
    import_id INTEGER NOT NULL REFERENCES imports (id),
    source_key TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    merged INTEGER NOT NULL,
    balance INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    PRIMARY KEY (import_id, source_key)
) STRICT;
CREATE INDEX imported_members_user ON imported_members (user_id);
