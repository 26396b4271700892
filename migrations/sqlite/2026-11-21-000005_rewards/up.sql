-- Requests that take effect once, and what came of them. `result` is NULL only inside the unit that
-- claimed the key. No foreign key: who claims also locks the member's account.
CREATE TABLE once_keys (
    idem_key TEXT PRIMARY KEY,
    operation TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    request TEXT NOT NULL,
    result TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX once_keys_created ON once_keys (created_at, idem_key);
CREATE INDEX once_keys_user ON once_keys (user_id);

-- What was given, for what, each once. Append-only, as the ledger is, and with the same way out.
CREATE TABLE reward_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('points', 'xp', 'lore', 'badge', 'achievement')),
    reward_key TEXT,
    amount INTEGER CHECK (amount > 0), -- Minor units.
    source TEXT NOT NULL,
    once_key TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    CHECK ((amount IS NULL) = (reward_key IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX reward_log_once_key ON reward_log (once_key);
CREATE INDEX reward_log_user ON reward_log (user_id, id DESC);
CREATE TRIGGER reward_log_no_update BEFORE UPDATE ON reward_log
BEGIN
    SELECT RAISE(ABORT, 'the log of rewards is append-only');
END;
CREATE TRIGGER reward_log_no_delete BEFORE DELETE ON reward_log
WHEN NOT EXISTS (SELECT 1 FROM ledger_purges p WHERE p.user_id = OLD.user_id)
BEGIN
    SELECT RAISE(ABORT, 'the log of rewards is append-only');
END;

-- Events on their way to the application. Leased until `leased_until` by whoever holds the token;
-- with a time and no token, an event waits to be tried again. No foreign key: that a member was
-- purged is to be told, too.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    payload TEXT NOT NULL,
    correlation_id TEXT,
    created_at INTEGER NOT NULL,
    published_at INTEGER,
    leased_until INTEGER,
    lease_token INTEGER,
    attempts INTEGER NOT NULL CHECK (attempts >= 0)
) STRICT;
CREATE INDEX outbox_pending ON outbox (id) WHERE published_at IS NULL;
CREATE INDEX outbox_pending_user ON outbox (user_id, id) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at, id) WHERE published_at IS NOT NULL;
