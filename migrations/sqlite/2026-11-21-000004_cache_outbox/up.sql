-- What writes made wrong in the shared cache: inserted in the transaction of the write, deleted
-- when the cache knows. Usually next to empty.
CREATE TABLE cache_invalidations (
    id INTEGER PRIMARY KEY CHECK (id >= 0), -- Chosen by the writer.
    targets TEXT NOT NULL,
    -- By this clock and no other, in microseconds since 1970.
    noted_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;
