CREATE TABLE missions (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    description TEXT,
    search_key TEXT NOT NULL, -- Title and description as a search compares them.
    category TEXT NOT NULL CHECK (category IN ('main', 'side', 'event', 'standard')),
    cadence TEXT NOT NULL CHECK (cadence IN ('one_time', 'daily', 'weekly', 'repeatable')),
    cooldown_s INTEGER NOT NULL CHECK (cooldown_s = 0 OR (cooldown_s > 0 AND cadence = 'repeatable')),
    starts_at INTEGER,
    ends_at INTEGER,
    requires_action INTEGER NOT NULL,
    action_data TEXT,
    sort_order INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    legacy_key TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CHECK (ends_at > starts_at)
) STRICT;
CREATE INDEX missions_order ON missions (sort_order, created_at, id);
-- Not by is_active first: a look-up by objective would go over all that is active.
CREATE INDEX missions_cadence ON missions (cadence, is_active, sort_order, created_at, id);

CREATE TABLE mission_objectives (
    mission_id TEXT NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    idx INTEGER NOT NULL CHECK (idx >= 0),
    kind TEXT NOT NULL CHECK (kind IN ('action', 'fragment', 'lore', 'mission')),
    key TEXT NOT NULL,
    target INTEGER NOT NULL CHECK (target = 1 OR (target > 1 AND kind = 'action')),
    mode TEXT NOT NULL CHECK (mode IN ('add', 'max')),
    description TEXT,
    PRIMARY KEY (mission_id, idx)
) STRICT;
CREATE INDEX mission_objectives_key ON mission_objectives (kind, key, mission_id);

CREATE TABLE mission_rewards (
    mission_id TEXT NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    idx INTEGER NOT NULL CHECK (idx >= 0),
    kind TEXT NOT NULL CHECK (kind IN ('points', 'xp', 'lore', 'badge', 'achievement')),
    key TEXT,
    amount INTEGER CHECK (amount > 0), -- Minor units.
    PRIMARY KEY (mission_id, idx),
    CHECK ((amount IS NULL) = (key IS NOT NULL))
) STRICT;

-- One row a period that a member has begun; nth counts the periods of a repeatable mission, and
-- is NULL for those of the calendar. What was paid elsewhere is never paid here.
CREATE TABLE user_missions (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mission_id TEXT NOT NULL REFERENCES missions (id),
    period TEXT NOT NULL,
    nth INTEGER CHECK (nth >= 1),
    status TEXT NOT NULL CHECK (status IN ('active', 'completed', 'abandoned')),
    started_at INTEGER NOT NULL,
    completed_at INTEGER,
    rewarded_entry_id INTEGER,
    paid_elsewhere INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (user_id, mission_id, period),
    CHECK ((status = 'completed') = (completed_at IS NOT NULL))
) STRICT;
-- Which time of a repeatable mission is the last.
CREATE UNIQUE INDEX user_missions_nth ON user_missions (user_id, mission_id, nth) WHERE nth IS NOT NULL;
-- A member's list: of equal times the least key first, what is not completed apart.
CREATE INDEX user_missions_list ON user_missions (user_id, completed_at DESC, mission_id, period);
CREATE INDEX user_missions_mission ON user_missions (mission_id, user_id, status);
CREATE INDEX user_missions_recent ON user_missions (completed_at DESC, user_id, mission_id, period)
WHERE completed_at IS NOT NULL;

CREATE TABLE user_objective_progress (
    user_id INTEGER NOT NULL,
    mission_id TEXT NOT NULL,
    period TEXT NOT NULL,
    idx INTEGER NOT NULL CHECK (idx >= 0),
    value INTEGER NOT NULL CHECK (value >= 0),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, mission_id, period, idx),
    FOREIGN KEY (user_id, mission_id, period)
        REFERENCES user_missions (user_id, mission_id, period) ON DELETE CASCADE
) STRICT;

-- What was paid for missions, without reading the rest of the ledger.
CREATE INDEX point_entries_mission ON point_entries (user_id, amount) WHERE source = 'mission';
