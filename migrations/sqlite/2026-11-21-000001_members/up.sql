-- Columns ending in _key hold the folded text (Unicode lower case) that look-ups compare.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT,
    username_key TEXT,
    first_name TEXT,
    last_name TEXT,
    display_name TEXT,
    name_key TEXT NOT NULL,
    bio TEXT,
    avatar_url TEXT,
    email TEXT,
    email_key TEXT,
    email_verified INTEGER NOT NULL,
    phone TEXT,
    phone_verified INTEGER NOT NULL,
    language TEXT NOT NULL,
    is_admin INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    notifications_enabled INTEGER NOT NULL,
    vip_kind TEXT NOT NULL CHECK (vip_kind IN ('none', 'until', 'lifetime')),
    vip_expires_at INTEGER,
    ui_state TEXT NOT NULL,
    last_checked_match_id TEXT,
    total_requests INTEGER NOT NULL CHECK (total_requests >= 0),
    last_active_at INTEGER,
    last_login_at INTEGER,
    last_reminder_sent_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL,
    CHECK ((vip_kind = 'until') = (vip_expires_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX users_username_key ON users (username_key);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE UNIQUE INDEX users_phone_key ON users (phone);
CREATE INDEX users_last_active ON users (last_active_at DESC, id DESC);
CREATE INDEX users_created ON users (created_at);
CREATE INDEX users_requests ON users (total_requests DESC, id);
CREATE INDEX users_vip ON users (vip_kind, vip_expires_at, id) WHERE vip_kind <> 'none';
CREATE INDEX users_admins ON users (id) WHERE is_admin;

CREATE TABLE external_accounts (
    user_id INTEGER NOT NULL REFERENCES users (id),
    provider TEXT NOT NULL,
    external_id TEXT NOT NULL,
    nickname TEXT,
    nickname_key TEXT,
    email TEXT,
    linked_at INTEGER NOT NULL,
    data TEXT,
    PRIMARY KEY (user_id, provider)
) STRICT;
CREATE UNIQUE INDEX external_accounts_external ON external_accounts (provider, external_id);
CREATE INDEX external_accounts_nickname ON external_accounts (provider, nickname_key);

CREATE TABLE user_stats (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    messages_sent INTEGER NOT NULL,
    last_message_award_at INTEGER,
    last_reaction_award_at INTEGER,
    checkin_streak INTEGER NOT NULL,
    longest_streak INTEGER NOT NULL,
    last_checkin_day TEXT,
    last_gift_at INTEGER,
    days_active INTEGER NOT NULL,
    content_read INTEGER NOT NULL,
    reading_minutes INTEGER NOT NULL,
    reading_streak INTEGER NOT NULL,
    last_read_day TEXT,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE user_counters (
    user_id INTEGER NOT NULL REFERENCES users (id),
    counter TEXT NOT NULL,
    value INTEGER NOT NULL,
    fold TEXT NOT NULL CHECK (fold IN ('sum', 'max', 'min')),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, counter)
) STRICT;
CREATE INDEX user_counters_value ON user_counters (counter, value);

CREATE TABLE user_activity_days (
    user_id INTEGER NOT NULL REFERENCES users (id),
    day TEXT NOT NULL,
    actions INTEGER NOT NULL,
    PRIMARY KEY (user_id, day)
) STRICT;
CREATE INDEX user_activity_days_day ON user_activity_days (day);

-- Written by the health probe: a server that only reads fails it.
CREATE TABLE health_probe (
    id INTEGER PRIMARY KEY,
    probed_at INTEGER NOT NULL
) STRICT;
