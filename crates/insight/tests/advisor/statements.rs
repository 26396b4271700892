//! Single statements with what should come of them, on the large fixture.

/// Name, statement, the indexes wanted: any one list of `table (keys)` does; none for silence.
pub(crate) type Case = (&'static str, &'static str, &'static [&'static [&'static str]]);

/// No index.
pub(crate) const NONE: &[&[&str]] = &[];

/// Indexes that are there before a case is asked, and only then.
pub(crate) const GIVEN: &[(&str, &str)] = &[
    ("P52", "create index given on messages (guild_id) where pinned"),
    ("P53", "create index given on accounts (lower(email)); analyze accounts"),
];

/// Cases that want something else written, whatever becomes of indexes.
pub(crate) const REWRITTEN: &[&str] = &["P25", "P49"];

/// Statements on literals, one at a time.
pub(crate) const CASES: &[Case] = &[
    ("P01", "select * from messages where channel_id=5", &[&["messages (channel_id)"]]),
    (
        "P02",
        "select id from events where kind='k3' and at>='2025-05-18'",
        &[&["events (kind, at)"], &["events (kind, at, id)"], &["events (kind, at) with id"]],
    ),
    (
        "P03",
        "select * from messages where guild_id=1 order by created_at desc limit 50",
        &[&["messages (guild_id, created_at)"], &["messages (guild_id, created_at desc)"]],
    ),
    (
        "P04",
        "select * from messages order by created_at desc limit 20",
        &[&["messages (created_at)"], &["messages (created_at desc)"]],
    ),
    (
        "P06",
        "select * from messages where (created_at,id) < ('2025-06-01',200000) order by created_at desc,id desc limit 50",
        &[&["messages (created_at, id)"], &["messages (created_at desc, id desc)"]],
    ),
    ("P07", "select * from messages where lang='en' limit 10", NONE),
    ("P09", "select * from accounts where balance>10", NONE),
    (
        "P10",
        "select * from accounts where last_seen>'2026-02-04 12:00'",
        &[&["accounts (last_seen)"]],
    ),
    ("P11", "select * from accounts where status=0", NONE),
    (
        "P13",
        "select * from messages where guild_id=1 and deleted_at is null order by created_at desc limit 50",
        &[&["messages (guild_id, created_at)"], &["messages (guild_id, created_at desc)"]],
    ),
    ("P14", "select * from members where guild_id=5 and left_at is not null", NONE),
    (
        "P15",
        "select * from messages where deleted_at is not null order by deleted_at limit 100",
        &[&["messages (deleted_at) where (deleted_at IS NOT NULL)"]],
    ),
    ("P17", "select * from settings where scope='s1'", NONE),
    ("P18", "select * from members where guild_id=5", NONE),
    ("P19", "select * from members where user_id=500", &[&["members (user_id)"]]),
    ("P20", "select * from messages where id=5 and lang='en'", NONE),
    (
        "P21",
        "select * from messages where body like '%abcde%'",
        &[&["messages (body gin_trgm_ops) by gin"]],
    ),
    (
        "P23",
        "select * from accounts where email ilike 'user12345@%'",
        &[&["accounts (email gin_trgm_ops) by gin"]],
    ),
    ("P25", "select count(*) from messages where date_trunc('day',created_at)='2025-03-01'", NONE),
    (
        "P27",
        "select * from accounts where email='User9@Example.com' or phone='+4999'",
        &[&["accounts (email)", "accounts (phone)"]],
    ),
    ("P28", "select * from accounts where email='User9@Example.com' or balance>10", NONE),
    (
        "P29",
        "select * from messages where channel_id = any('{1,2,3}')",
        &[&["messages (channel_id)"]],
    ),
    ("P30", "select * from messages where lang<>'en'", NONE),
    (
        "P32",
        "select * from events where doc @> '{\"user\":123}'",
        &[&["events (doc jsonb_path_ops) by gin"]],
    ),
    ("P34", "select * from events where tags @> array['t5']", &[&["events (tags) by gin"]]),
    (
        "P36",
        "select o.id,i.product_id from orders o join order_items i on i.order_id=o.id where o.account_id=77",
        &[&["order_items (order_id)", "orders (account_id)"]],
    ),
    (
        "P38",
        "select channel_id,count(*) from messages where guild_id=1 group by channel_id",
        &[&["messages (guild_id, channel_id)"]],
    ),
    ("P39", "select avg(length(body)) from messages", NONE),
    (
        "P40",
        "select max(created_at) from messages where guild_id=7",
        &[&["messages (guild_id, created_at)"], &["messages (guild_id, created_at desc)"]],
    ),
    (
        "P42",
        "select * from logs where level=4 order by at desc limit 20",
        &[
            &["logs (at) where (level = 4)"],
            &["logs (at desc) where (level = 4)"],
            &["logs (level, at)"],
        ],
    ),
    ("P44", "select * from accounts where tenant_id=1", NONE),
    ("P45", "select * from accounts where tenant_id=77", &[&["accounts (tenant_id)"]]),
    ("P47", "update messages set lang='xx' where author_id=77", &[&["messages (author_id)"]]),
    ("P49", "select * from accounts where id=5::numeric", NONE),
    ("P50", "select * from accounts where phone is null", NONE),
    ("P52", "select * from messages where pinned and guild_id=3", NONE),
    ("P53", "select * from accounts where lower(email)='user777@example.com'", NONE),
    (
        "P59",
        "select * from accounts where status=2 and country='c7'",
        &[
            &["accounts (country, status)"],
            &["accounts (status, country)"],
            &["accounts (country) where (status = 2)"],
        ],
    ),
];

/// The same again for small guilds, and two that may go either way.
pub(crate) const MORE: &[&str] = &[
    "select * from messages where guild_id=1900 order by created_at desc limit 50",
    "select * from messages where guild_id=1900 and deleted_at is null order by created_at desc limit 50",
    "select channel_id,count(*) from messages where guild_id=1900 group by channel_id",
    "select max(created_at) from messages where guild_id=1900",
    "select distinct on (channel_id) * from messages where guild_id=1 order by channel_id,created_at desc",
    "select * from messages where guild_id=1 order by created_at desc limit 50 offset 20000",
];
