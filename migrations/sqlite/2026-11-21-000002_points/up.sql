-- Amounts are minor units. The limit of 9 * 10^15 keeps every sum of two inside 64 bits.
CREATE TABLE levels (
    level INTEGER PRIMARY KEY CHECK (level >= 1),
    name TEXT NOT NULL,
    min_xp INTEGER NOT NULL CHECK (min_xp >= 0 AND (level = 1) = (min_xp = 0)),
    reward_text TEXT,
    unlocks_lore_code TEXT
) STRICT;
CREATE UNIQUE INDEX levels_min_xp ON levels (min_xp);
INSERT INTO levels (level, name, min_xp)
SELECT n, 'Level ' || n, CASE WHEN n <= 10 THEN 50000 * (n - 1) ELSE 450000 + 100000 * (n - 10) END
FROM (WITH RECURSIVE counted(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM counted WHERE n < 20) SELECT n FROM counted);

-- is_listed repeats users.is_active, so that rankings and their indexes need no join;
-- is_closed means that the member was deleted: no movement finds the account any more.
CREATE TABLE point_accounts (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    balance INTEGER NOT NULL,
    held INTEGER NOT NULL,
    lifetime_earned INTEGER NOT NULL,
    lifetime_spent INTEGER NOT NULL,
    xp INTEGER NOT NULL,
    level INTEGER NOT NULL CHECK (level >= 1),
    xp_boost_bp INTEGER NOT NULL CHECK (xp_boost_bp >= 0),
    next_seq INTEGER NOT NULL CHECK (next_seq >= 1),
    is_listed INTEGER NOT NULL,
    is_closed INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT point_accounts_range CHECK (held >= 0 AND balance >= held AND balance <= 9000000000000000),
    CONSTRAINT point_accounts_sums CHECK (
        lifetime_earned BETWEEN 0 AND 9000000000000000
        AND lifetime_spent BETWEEN 0 AND 9000000000000000
        AND xp BETWEEN 0 AND 9000000000000000
    )
) STRICT;
CREATE INDEX point_accounts_balance ON point_accounts (balance DESC, user_id);
CREATE INDEX point_accounts_earned ON point_accounts (lifetime_earned DESC, user_id);
CREATE INDEX point_accounts_xp ON point_accounts (xp DESC, user_id);

-- Entries have no foreign key: the statement that writes one updates the account in the same
-- breath, and the key would lock the member's row for every entry.
CREATE TABLE point_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount <> 0),
    balance_after INTEGER NOT NULL CHECK (balance_after >= 0),
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    source_ref TEXT,
    description TEXT,
    base_amount INTEGER,
    multiplier_bp INTEGER,
    counterpart_user_id INTEGER,
    transfer_id TEXT,
    idem_key TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX point_entries_user_seq ON point_entries (user_id, seq);
CREATE UNIQUE INDEX point_entries_idem_key ON point_entries (idem_key) WHERE idem_key IS NOT NULL;
CREATE INDEX point_entries_transfer ON point_entries (transfer_id) WHERE transfer_id IS NOT NULL;
CREATE INDEX point_entries_created ON point_entries (created_at);

-- The ledger is append-only for everybody, this program included: the only way out is to name the
-- member here first, which purging and taking an import back do inside their transaction.
CREATE TABLE ledger_purges (
    user_id INTEGER PRIMARY KEY
) STRICT;
CREATE TRIGGER point_entries_no_update BEFORE UPDATE ON point_entries
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER point_entries_no_delete BEFORE DELETE ON point_entries
WHEN NOT EXISTS (SELECT 1 FROM ledger_purges p WHERE p.user_id = OLD.user_id)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TABLE point_holds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES point_accounts (user_id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT NOT NULL,
    ref TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'captured', 'released', 'expired')),
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    settled_at INTEGER
) STRICT;
CREATE UNIQUE INDEX point_holds_active ON point_holds (reason, ref, user_id) WHERE status = 'active';
CREATE INDEX point_holds_user ON point_holds (user_id, id) WHERE status = 'active';
CREATE INDEX point_holds_expiry ON point_holds (expires_at, id) WHERE status = 'active';
