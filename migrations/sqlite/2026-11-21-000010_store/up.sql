-- Amounts are minor units. title_key holds the folded text (Unicode lower case) that makes titles
-- unique and orders them.
CREATE TABLE store_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    title_key TEXT NOT NULL,
    description TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('reward', 'avatar', 'xp_boost', 'name_color', 'custom')),
    cost INTEGER NOT NULL CHECK (cost >= 0),
    required_points INTEGER NOT NULL CHECK (required_points >= 0),
    required_level INTEGER NOT NULL CHECK (required_level >= 1),
    stock INTEGER CHECK (stock >= 0), -- NULL: any number.
    image_url TEXT,
    effect TEXT,
    is_active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX store_items_title_key ON store_items (title_key);

CREATE TABLE user_items (
    user_id INTEGER NOT NULL REFERENCES users (id),
    item_id INTEGER NOT NULL REFERENCES store_items (id),
    kind TEXT NOT NULL,
    acquired_at INTEGER NOT NULL,
    price_paid INTEGER NOT NULL CHECK (price_paid >= 0),
    equipped INTEGER NOT NULL,
    PRIMARY KEY (user_id, item_id)
) STRICT;
CREATE UNIQUE INDEX user_items_equipped ON user_items (user_id, kind) WHERE equipped;
CREATE INDEX user_items_acquired ON user_items (user_id, acquired_at DESC, item_id DESC);
CREATE INDEX user_items_item ON user_items (item_id);
