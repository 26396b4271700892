-- Keys compare by their bytes, as they do in SQLite, whatever language the database was made for.
CREATE TABLE missions (
    id TEXT COLLATE "C" PRIMARY KEY,
    title TEXT COLLATE "C" NOT NULL,
    description TEXT,
    search_key TEXT NOT NULL, -- Title and description as a search compares them.
    category TEXT NOT NULL CHECK (category IN ('main', 'side', 'event', 'standard')),
    cadence TEXT NOT NULL CHECK (cadence IN ('one_time', 'daily', 'weekly', 'repeatable')),
    cooldown_s BIGINT NOT NULL CHECK (cooldown_s = 0 OR (cooldown_s > 0 AND cadence = 'repeatable')),
    starts_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ,
    requires_action BOOLEAN NOT NULL,
    action_data JSONB,
    sort_order BIGINT NOT NULL,
    is_active BOOLEAN NOT NULL,
    legacy_key TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    version BIGINT NOT NULL,
    CHECK (ends_at > starts_at)
);
CREATE INDEX missions_order ON missions (sort_order, created_at, id);
-- Not by is_active first: a look-up by objective would go over all that is active.
CREATE INDEX missions_cadence ON missions (cadence, is_active, sort_order, created_at, id);

CREATE TABLE mission_objectives (
    mission_id TEXT COLLATE "C" NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    idx BIGINT NOT NULL CHECK (idx >= 0),
    kind TEXT NOT NULL CHECK (kind IN ('action', 'fragment', 'lore', 'mission')),
    key TEXT COLLATE "C" NOT NULL,
    target BIGINT NOT NULL CHECK (target = 1 OR (target > 1 AND kind = 'action')),
    mode TEXT NOT NULL CHECK (mode IN ('add', 'max')),
    description TEXT,
    PRIMARY KEY (mission_id, idx)
);
CREATE INDEX mission_objectives_key ON mission_objectives (kind, key, mission_id);

CREATE TABLE mission_rewards (
    mission_id TEXT COLLATE "C" NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    idx BIGINT NOT NULL CHECK (idx >= 0),
    kind TEXT NOT NULL CHECK (kind IN ('points', 'xp', 'lore', 'badge', 'achievement')),
    key TEXT,
    amount BIGINT CHECK (amount > 0), -- Minor units.
    PRIMARY KEY (mission_id, idx),
    CHECK ((amount IS NULL) = (key IS NOT NULL))
);

-- One row a period that a member has begun; nth counts the periods of a repeatable mission, and
-- is NULL for those of the calendar. What was paid elsewhere is never paid here.
CREATE TABLE user_missions (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    mission_id TEXT COLLATE "C" NOT NULL REFERENCES missions (id),
    period TEXT COLLATE "C" NOT NULL,
    nth BIGINT CHECK (nth >= 1),
    status TEXT NOT NULL CHECK (status IN ('active', 'completed', 'abandoned')),
    started_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    rewarded_entry_id BIGINT,
    paid_elsewhere BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (user_id, mission_id, period),
    CHECK ((status = 'completed') = (completed_at IS NOT NULL))
) WITH (fillfactor = 80);
-- Which time of a repeatable mission is the last.
CREATE UNIQUE INDEX user_missions_nth ON user_missions (user_id, mission_id, nth) WHERE nth IS NOT NULL;
-- A member's list: of equal times the least key first, what is not completed apart.
CREATE INDEX user_missions_list ON user_missions (user_id, completed_at DESC, mission_id, period);
CREATE INDEX user_missions_mission ON user_missions (mission_id, user_id, status);
CREATE INDEX user_missions_recent ON user_missions (completed_at DESC, user_id, mission_id, period)
WHERE completed_at IS NOT NULL;

CREATE TABLE user_objective_progress (
    user_id BIGINT NOT NULL,
    mission_id TEXT COLLATE "C" NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    idx BIGINT NOT NULL CHECK (idx >= 0),
    value BIGINT NOT NULL CHECK (value >= 0),
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, mission_id, period, idx),
    FOREIGN KEY (user_id, mission_id, period)
        REFERENCES user_missions (user_id, mission_id, period) ON DELETE CASCADE
) WITH (fillfactor = 80);

-- What was paid for missions, without reading the rest of the ledger.
CREATE INDEX point_entries_mission ON point_entries (user_id, amount) WHERE source = 'mission';
