-- Statements on one table or two, and the index each should get. Read by ./mod.rs: a case begins
-- with its name (`case`) and tells in comments
--
--   given     an index that is there before, as CREATE INDEX; repeatable
--   expect    indexes that must be among the candidates: `table (keys)`, `table gin (keys)`,
--             `table (keys) where condition`; several joined by ` and `, choices by ` or `;
--             `none`: no candidate at all
--   advice    a rewrite that must be given, by the name of its kind

-- case: P01
-- expect: messages (channel_id)
select id, body from messages m where m.channel_id = 17;

-- case: P02
-- expect: events (kind, at)
select id from events where at >= timestamptz '2025-05-18' and kind = 'k3';

-- case: P03
-- expect: messages (guild_id, created_at)
select * from messages where guild_id = 1 order by created_at desc limit 50;

-- case: P04
-- expect: messages (created_at)
select * from messages order by created_at desc fetch first 20 rows only;

-- case: P06
-- expect: messages (created_at, id)
select * from messages where row(created_at, id) < (timestamptz '2025-06-01', 200000)
order by created_at desc, id desc limit 50;

-- case: P07
-- expect: none
select * from messages where lang = 'en' limit 10;

-- case: P09
-- expect: none
select * from accounts where balance > 10;

-- case: P10
-- expect: accounts (last_seen)
select * from accounts where last_seen > '2026-02-04 12:00';

-- case: P11
-- expect: none
select * from accounts where status = 0;

-- case: P13
-- expect: messages (guild_id, created_at)
select * from messages where deleted_at is null and guild_id = 1 order by created_at desc limit 50;

-- case: P14
-- expect: none
select * from members where left_at is not null and guild_id = 5;

-- case: P15
-- expect: messages (deleted_at) where deleted_at is not null
select * from messages where deleted_at is not null order by deleted_at limit 100;

-- case: P17
-- expect: none
select * from settings where scope = 's1';

-- case: P18
-- expect: none
select user_id, xp from members where guild_id = 5;

-- case: P19
-- expect: members (user_id)
select * from members where user_id = 500;

-- case: P20
-- expect: none
select * from messages where lang = 'en' and id = 5;

-- case: P21
-- expect: messages gin (body gin_trgm_ops)
select * from messages where body like '%abcde%';

-- case: P23
-- expect: accounts gin (email gin_trgm_ops)
select * from accounts where email ilike 'user12345@%';

-- case: P25
-- expect: none
-- advice: HalfOpenRange
select count(*) from messages where date_trunc('day', created_at) = '2025-03-01';

-- case: P27
-- expect: accounts (email) and accounts (phone)
select * from accounts where phone = '+4999' or email = 'User9@Example.com';

-- case: P28
-- expect: none
select * from accounts where balance > 10 or email = 'User9@Example.com';

-- case: P29
-- expect: messages (channel_id)
select * from messages where channel_id = any ('{1,2,3}');

-- case: P30
-- expect: none
select * from messages where lang <> 'en';

-- case: P32
-- expect: events gin (doc jsonb_path_ops)
select * from events where doc @> '{"user": 123}';

-- case: P34
-- expect: events gin (tags)
select * from events where tags @> array['t5'];

-- case: P36
-- expect: orders (account_id) and order_items (order_id)
select o.id, i.product_id from order_items i join orders o on o.id = i.order_id
where o.account_id = 77;

-- case: P38
-- expect: messages (guild_id, channel_id)
select channel_id, count(*) from messages where guild_id = 1 group by channel_id;

-- case: P39
-- expect: none
select avg(length(body)) from messages;

-- case: P40
-- expect: messages (guild_id, created_at)
select max(created_at) from messages where guild_id = 7;

-- case: P42
-- expect: logs (at) where level = 4
select * from logs where level = 4 order by at desc limit 20;

-- case: P44
-- expect: none
select * from accounts where tenant_id = 1;

-- case: P45
-- expect: accounts (tenant_id)
select * from accounts where tenant_id = 77;

-- case: P47
-- expect: messages (author_id)
update messages set lang = 'xx' where author_id = 77;

-- case: P48
-- expect: messages (guild_id) or none
select distinct on (channel_id) * from messages where guild_id = 1
order by channel_id, created_at desc;

-- case: P49
-- expect: none
-- advice: CastTheValue
select * from accounts where id = 5::numeric;

-- case: P50
-- expect: none
select * from accounts where phone is null;

-- case: P52
-- given: create index on messages (guild_id) where pinned
-- expect: none
select * from messages where guild_id = 3 and pinned;

-- case: P53
-- given: create index on accounts (lower(email))
-- expect: none
select * from accounts where lower(email) = 'user777@example.com';

-- case: P56
-- expect: messages (guild_id, created_at) or none
-- advice: KeysetPaging
select * from messages where guild_id = 1 order by created_at desc limit 50 offset 20000;

-- case: P59
-- expect: accounts (status, country) or accounts (country, status)
select * from accounts where country = 'c7' and status = 2;

-- case: W05
-- expect: messages (guild_id, pinned)
-- advice: MakeLiteral
select * from messages where pinned = $2 and guild_id = $1;

-- case: both columns tell the same
-- expect: accounts (city)
select * from accounts where city = 'city7' and country = 'c7';

-- case: a rare flag, without any index
-- expect: messages (guild_id) where pinned
select * from messages where guild_id = 3 and pinned;

-- case: an array asked by its element
-- expect: none
-- advice: ArrayContains
select * from events where 't5' = any (tags);

-- case: a day cut out of a moment
-- expect: none
-- advice: HalfOpenRange
select count(*) from messages where created_at::date = '2025-03-01';

-- case: a function of a column
-- expect: accounts (lower(email))
select * from accounts where lower(email) = 'user777@example.com';

-- case: a key of a document
-- expect: events (doc ->> 'ip')
select * from events where doc ->> 'ip' = '10.0.7.7';

-- case: keyset within an equality
-- expect: messages (guild_id, created_at, id)
select * from messages where guild_id = $1 and (created_at, id) < ($2, $3)
order by created_at desc, id desc limit 50;

-- case: a queue
-- expect: jobs (run_at) where state = 'queued'
select * from jobs where state = 'queued' order by run_at limit 10 for update skip locked;
