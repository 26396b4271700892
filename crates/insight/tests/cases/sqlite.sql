-- The same for SQLite, over users (id, guild_id, active, name, email, created: 200 000 rows; guild 1
-- holds 40 %, 1 % is active) and msgs (id, user_id, body: 300 000 rows), and tiny (19 rows).
-- `bound` gives the values of one call, in order; repeatable.

-- case: S01
-- bound: 17
-- expect: users (guild_id)
select * from users where guild_id = ?;

-- case: a value that is too common
-- bound: 1
-- expect: none
select * from users where guild_id = ?;

-- case: S03
-- bound: 1, 17
-- bound: 1, 18
-- expect: users (guild_id) where active = 1
select * from users where active = ? and guild_id = ?;

-- case: S04
-- expect: users (guild_id, created)
select * from users where guild_id = ? order by created desc limit 10;

-- case: S06
-- expect: users (lower(email))
select * from users where lower(email) = ?;

-- case: S07
-- expect: users (email collate nocase)
select * from users where email = ? collate nocase;

-- case: S09
-- expect: none
-- advice: FullTextSearch
select * from users where email like '%77@%';

-- case: S10
-- expect: users (email) and users (name)
select * from users where name = ? or email = ?;

-- case: S11
-- expect: msgs (user_id)
select m.body from users u join msgs m on m.user_id = u.id where u.id = ?;

-- case: S13
-- expect: users (guild_id, created)
select count(*), sum(created) from users where guild_id = 1;

-- case: S14
-- expect: none
select * from tiny where label = 'x';

-- case: S15
-- expect: users (active desc, created)
select * from users order by active desc, created limit 5;

-- case: S17
-- expect: users (created)
select * from users where created = '5';

-- case: S19
-- expect: none
-- advice: MoveArithmetic
select count(*) from users where created + 0 = 5;
