CREATE TABLE user_preferences (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    reading_level TEXT NOT NULL CHECK (reading_level IN ('basic', 'intermediate', 'advanced')),
    theme TEXT NOT NULL CHECK (theme IN ('green', 'blue', 'purple', 'dark')),
    notify_email INTEGER NOT NULL,
    notify_sms INTEGER NOT NULL,
    offline_limit_mb INTEGER NOT NULL CHECK (offline_limit_mb BETWEEN 0 AND 10000),
    auto_download INTEGER NOT NULL,
    extra TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE user_languages (
    user_id INTEGER NOT NULL REFERENCES users (id),
    language TEXT NOT NULL,
    is_primary INTEGER NOT NULL,
    proficiency TEXT CHECK (proficiency IN ('basic', 'intermediate', 'fluent')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, language)
) STRICT;
CREATE UNIQUE INDEX user_languages_primary ON user_languages (user_id) WHERE is_primary;

CREATE TABLE user_accessibility (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    font_size INTEGER NOT NULL CHECK (font_size BETWEEN 8 AND 72),
    font_family TEXT,
    line_height INTEGER NOT NULL CHECK (line_height BETWEEN 100 AND 300), -- Hundredths.
    high_contrast INTEGER NOT NULL,
    large_text INTEGER NOT NULL,
    screen_reader INTEGER NOT NULL,
    text_to_speech INTEGER NOT NULL,
    reduce_motion INTEGER NOT NULL,
    keyboard_navigation INTEGER NOT NULL,
    color_blind_mode TEXT NOT NULL
        CHECK (color_blind_mode IN ('none', 'deuteranopia', 'protanopia', 'tritanopia')),
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- name_key holds the folded text (Unicode lower case) that makes names unique and orders them.
CREATE TABLE interest_categories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    description TEXT,
    icon_url TEXT,
    color TEXT,
    is_active INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX interest_categories_name_key ON interest_categories (name_key);

CREATE TABLE user_interests (
    user_id INTEGER NOT NULL REFERENCES users (id),
    category_id INTEGER NOT NULL REFERENCES interest_categories (id),
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
    selected_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, category_id)
) STRICT;
CREATE INDEX user_interests_category ON user_interests (category_id);

CREATE TABLE onboarding (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    language INTEGER NOT NULL,
    interests INTEGER NOT NULL,
    reading_level INTEGER NOT NULL,
    accessibility INTEGER NOT NULL,
    feature_tour INTEGER NOT NULL,
    celebration INTEGER NOT NULL,
    completed_at INTEGER,
    updated_at INTEGER NOT NULL
) STRICT;
