-- What writes made wrong in the shared cache: inserted in the transaction of the write, deleted
-- when the cache knows. Usually next to empty.
CREATE TABLE cache_invalidations (
    id BIGINT PRIMARY KEY CHECK (id >= 0), -- Chosen by the writer.
    targets TEXT NOT NULL,
    noted_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp() -- By this clock and no other.
);
