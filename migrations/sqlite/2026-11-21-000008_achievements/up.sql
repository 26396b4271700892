CREATE TABLE achievements (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    description TEXT,
    category TEXT NOT NULL,
    tier TEXT NOT NULL CHECK (tier IN ('none', 'bronze', 'silver', 'gold', 'platinum')),
    icon_url TEXT,
    reward_text TEXT,
    reward_points INTEGER NOT NULL CHECK (reward_points >= 0),
    hidden INTEGER NOT NULL,
    sort_order INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    legacy_key TEXT,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX achievements_place ON achievements (category, sort_order, id);

-- All criteria of an achievement must hold; one without any is only given by hand.
CREATE TABLE achievement_criteria (
    achievement_id TEXT NOT NULL REFERENCES achievements (id),
    idx INTEGER NOT NULL,
    metric TEXT NOT NULL,
    comparison TEXT NOT NULL CHECK (comparison IN ('gte', 'lte')),
    threshold INTEGER NOT NULL,
    PRIMARY KEY (achievement_id, idx)
) STRICT;
CREATE INDEX achievement_criteria_metric ON achievement_criteria (metric, threshold);

CREATE TABLE user_achievements (
    user_id INTEGER NOT NULL REFERENCES users (id),
    achievement_id TEXT NOT NULL REFERENCES achievements (id),
    unlocked_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    points_awarded INTEGER NOT NULL CHECK (points_awarded >= 0),
    context TEXT,
    PRIMARY KEY (user_id, achievement_id)
) STRICT;
CREATE INDEX user_achievements_achievement ON user_achievements (achievement_id, unlocked_at);
CREATE INDEX user_achievements_recent ON user_achievements (unlocked_at DESC, user_id, achievement_id);
CREATE INDEX user_achievements_newest ON user_achievements (user_id, unlocked_at DESC, achievement_id);

-- name_key is the folded name (Unicode lower case) that look-ups compare.
CREATE TABLE badges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    description TEXT,
    icon TEXT,
    emoji TEXT,
    tier TEXT NOT NULL CHECK (tier IN ('none', 'bronze', 'silver', 'gold', 'platinum')),
    metric TEXT,
    threshold INTEGER,
    grants_vip INTEGER NOT NULL,
    vip_duration_days INTEGER CHECK (vip_duration_days >= 1),
    auto_permissions INTEGER NOT NULL,
    revocable INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CHECK ((metric IS NULL) = (threshold IS NULL)),
    CHECK (grants_vip OR vip_duration_days IS NULL)
) STRICT;
CREATE UNIQUE INDEX badges_name_key ON badges (name_key);
CREATE INDEX badges_rule ON badges (is_active, metric, threshold);
CREATE INDEX badges_vip ON badges (id) WHERE grants_vip;

-- What makes a member a VIP; users.vip_kind and users.vip_expires_at are written with it.
CREATE TABLE vip_grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    source TEXT NOT NULL CHECK (source IN ('subscription', 'badge', 'token', 'promotion', 'admin', 'import')),
    source_ref TEXT,
    granted_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    revoked_reason TEXT,
    notes TEXT
) STRICT;
CREATE UNIQUE INDEX vip_grants_ref ON vip_grants (source, source_ref)
    WHERE source_ref IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX vip_grants_user ON vip_grants (user_id, expires_at);
CREATE INDEX vip_grants_end ON vip_grants (expires_at) WHERE revoked_at IS NULL;

-- Written once and never changed. Actors, here and below, are no foreign keys: what was done stays
-- done, whoever did it.
CREATE TABLE vip_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL CHECK (kind IN ('grant', 'extend', 'revoke', 'expire')),
    grant_id INTEGER NOT NULL REFERENCES vip_grants (id),
    at INTEGER NOT NULL,
    actor INTEGER
) STRICT;
CREATE INDEX vip_events_user ON vip_events (user_id, id DESC);
CREATE INDEX vip_events_grant ON vip_events (grant_id);

CREATE TABLE user_badges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    badge_id INTEGER NOT NULL REFERENCES badges (id),
    awarded_at INTEGER NOT NULL,
    awarded_by INTEGER,
    source TEXT NOT NULL,
    vip_grant_id INTEGER REFERENCES vip_grants (id)
) STRICT;
CREATE UNIQUE INDEX user_badges_once ON user_badges (user_id, badge_id);
CREATE INDEX user_badges_badge ON user_badges (badge_id, awarded_at, user_id);
CREATE INDEX user_badges_recent ON user_badges (awarded_at DESC, user_id, badge_id);

-- Written once and never changed.
CREATE TABLE badge_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    badge_id INTEGER NOT NULL REFERENCES badges (id),
    kind TEXT NOT NULL CHECK (kind IN ('awarded', 'revoked')),
    actor INTEGER,
    reason TEXT,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX badge_events_user ON badge_events (user_id, id DESC);
CREATE INDEX badge_events_badge ON badge_events (badge_id, kind);
