-- search_key holds the folded title and content (Unicode lower case).
CREATE TABLE fragments (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    search_key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('story', 'decision', 'info')),
    character TEXT,
    chapter_level INTEGER NOT NULL CHECK (chapter_level >= 1),
    auto_next_id TEXT REFERENCES fragments (id) DEFERRABLE INITIALLY DEFERRED,
    is_milestone INTEGER NOT NULL,
    is_start INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    legacy_key TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX fragments_start ON fragments (is_start) WHERE is_start AND is_active;
CREATE INDEX fragments_kind ON fragments (is_active, kind, created_at, id);
CREATE INDEX fragments_created ON fragments (created_at, id);
CREATE INDEX fragments_chapter ON fragments (chapter_level);
CREATE INDEX fragments_auto_next ON fragments (auto_next_id) WHERE auto_next_id IS NOT NULL;

CREATE TABLE fragment_choices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    fragment_id TEXT NOT NULL REFERENCES fragments (id),
    idx INTEGER NOT NULL,
    text TEXT NOT NULL,
    destination_id TEXT NOT NULL REFERENCES fragments (id),
    cost_points INTEGER NOT NULL CHECK (cost_points BETWEEN 0 AND 9000000000000000),
    reward_points INTEGER NOT NULL CHECK (reward_points BETWEEN 0 AND 9000000000000000),
    karma_delta INTEGER NOT NULL,
    is_active INTEGER NOT NULL
) STRICT;
-- Negative places are those of choices that are just being put in another order.
CREATE UNIQUE INDEX fragment_choices_place ON fragment_choices (fragment_id, idx);
CREATE INDEX fragment_choices_destination ON fragment_choices (destination_id);

-- The owner is a fragment by its id, a choice by its number, or a piece of lore by its number.
CREATE TABLE requirements (
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('fragment', 'choice', 'lore')),
    owner_id TEXT NOT NULL,
    idx INTEGER NOT NULL CHECK (idx >= 0),
    kind TEXT NOT NULL,
    key TEXT,
    amount INTEGER,
    PRIMARY KEY (owner_kind, owner_id, idx)
) STRICT;
CREATE INDEX requirements_key ON requirements (kind, key);

CREATE TABLE fragment_effects (
    fragment_id TEXT NOT NULL REFERENCES fragments (id),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    trigger TEXT NOT NULL CHECK (trigger IN ('visit', 'complete')),
    kind TEXT NOT NULL CHECK (kind IN ('points', 'lore', 'achievement', 'badge', 'mission_action')),
    key TEXT,
    amount INTEGER,
    PRIMARY KEY (fragment_id, idx)
) STRICT;

-- current_fragment_id has no foreign key: fragments are never removed.
CREATE TABLE user_narrative (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    current_fragment_id TEXT,
    karma INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE user_fragments (
    user_id INTEGER NOT NULL REFERENCES users (id),
    fragment_id TEXT NOT NULL REFERENCES fragments (id),
    first_visited_at INTEGER NOT NULL,
    last_visited_at INTEGER NOT NULL,
    visits INTEGER NOT NULL CHECK (visits >= 1),
    completed_at INTEGER,
    PRIMARY KEY (user_id, fragment_id)
) STRICT;
CREATE INDEX user_fragments_fragment ON user_fragments (fragment_id);
CREATE INDEX user_fragments_visited ON user_fragments (user_id, first_visited_at, fragment_id);
CREATE INDEX user_fragments_completed ON user_fragments (user_id, completed_at, fragment_id)
    WHERE completed_at IS NOT NULL;

-- Append-only: a choice that somebody took is therefore never removed.
CREATE TABLE user_decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    fragment_id TEXT NOT NULL,
    choice_id INTEGER NOT NULL REFERENCES fragment_choices (id),
    made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX user_decisions_user ON user_decisions (user_id, id DESC);
CREATE INDEX user_decisions_choice ON user_decisions (choice_id);

CREATE TABLE lore_pieces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    content_type TEXT NOT NULL
        CHECK (content_type IN ('text', 'image', 'video', 'audio', 'document')),
    content TEXT NOT NULL,
    category TEXT,
    is_main_story INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    legacy_key TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX lore_pieces_code ON lore_pieces (code);
CREATE INDEX lore_pieces_category ON lore_pieces (is_active, category);
CREATE INDEX lore_pieces_created ON lore_pieces (created_at, id);

CREATE TABLE user_lore (
    user_id INTEGER NOT NULL REFERENCES users (id),
    lore_id INTEGER NOT NULL REFERENCES lore_pieces (id),
    unlocked_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    context TEXT,
    PRIMARY KEY (user_id, lore_id)
) STRICT;
CREATE INDEX user_lore_lore ON user_lore (lore_id);
CREATE INDEX user_lore_unlocked ON user_lore (user_id, unlocked_at DESC, lore_id);

-- pieces_key repeats the ids of the pieces, ascending, so that no two combinations need the same.
CREATE TABLE hint_combinations (
    code TEXT PRIMARY KEY,
    pieces_key TEXT NOT NULL,
    reward_lore_id INTEGER NOT NULL REFERENCES lore_pieces (id),
    legacy_key TEXT
) STRICT;
CREATE UNIQUE INDEX hint_combinations_pieces ON hint_combinations (pieces_key);
CREATE INDEX hint_combinations_reward ON hint_combinations (reward_lore_id);

CREATE TABLE hint_combination_pieces (
    code TEXT NOT NULL REFERENCES hint_combinations (code),
    lore_id INTEGER NOT NULL REFERENCES lore_pieces (id),
    PRIMARY KEY (code, lore_id)
) STRICT;
CREATE INDEX hint_combination_pieces_lore ON hint_combination_pieces (lore_id);
