//! The members, and what the database says was ever committed of them.

use std::collections::HashMap;

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{Amount, Award, NewUser, Source, UserId};
use tokio_postgres::{Client, NoTls};

use crate::BoxError;
use crate::history::{Aspect, Committed, State, Subject};
use crate::worker::{config, op_of, username};

/// The ledger keeps every state of an account; this keeps every state of a member's row.
const KEEP_PROFILES: &str = "
    CREATE TABLE soak_profiles (user_id BIGINT, version BIGINT, display_name TEXT);
    INSERT INTO soak_profiles SELECT id, version, display_name FROM users;
    CREATE FUNCTION soak_keep_profile() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO soak_profiles VALUES (NEW.id, NEW.version, NEW.display_name);
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER soak_keep_profile AFTER UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION soak_keep_profile();
";

/// Only the sender's entry of a transfer has the once-only key, by which its write is known.
const ACCOUNTS: &str = "
    SELECT e.user_id, e.seq, e.balance_after, COALESCE(e.idem_key, s.idem_key)
    FROM point_entries e
    LEFT JOIN point_entries s ON s.transfer_id = e.transfer_id AND s.idem_key IS NOT NULL
    ORDER BY e.user_id, e.seq
";

const PROFILES: &str = "SELECT user_id, version, display_name FROM soak_profiles";

/// The database of a run.
pub(crate) struct Truth {
    client: Client,
    guildhall: Guildhall,
    /// The members that the run is about.
    pub(crate) members: Vec<i64>,
}

impl Truth {
    /// Makes the tables and the members, each with points to spend.
    pub(crate) async fn create(url: &str, members: usize) -> Result<Self, BoxError> {
        let guildhall = Guildhall::connect(config(url, None)?).await?;
        let now = guildhall.clock().now();
        let mut new = Vec::with_capacity(members);
        for index in 0..members {
            new.push(NewUser { username: Some(username(index)?), ..NewUser::default() });
        }
        let created = guildhall.users().create_batch(&new, now).await?;
        let members: Vec<UserId> = created.iter().map(|user| user.id).collect();
        for member in &members {
            let award = Award::new(*member, Amount::whole(1_000_000)?, Source::parse("seed")?);
            guildhall.points().award(&award, now).await?;
        }
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection); // Its end shows in the next call of the client.
        client.batch_execute(KEEP_PROFILES).await?;
        let members = members.into_iter().map(|member| member.0).collect();
        Ok(Self { client, guildhall, members })
    }

    /// Every state that anybody may have seen.
    pub(crate) async fn committed(&self) -> Result<Vec<Committed>, BoxError> {
        let mut committed = Vec::new();
        // Of a unit's entries only the last one was ever the newest in the eyes of others.
        let mut last_of_unit: HashMap<(i64, i64), usize> = HashMap::new();
        for row in self.client.query(ACCOUNTS, &[]).await? {
            let (member, seq): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let (value, key): (i64, Option<String>) = (row.try_get(2)?, row.try_get(3)?);
            let subject = Subject { member, aspect: Aspect::Account };
            let op = key.as_deref().and_then(op_of_key);
            let state = Committed { state: State { subject, version: seq + 1, value }, op };
            match op.and_then(|op| last_of_unit.get(&(member, op))) {
                Some(at) => committed[*at] = state,
                None => {
                    if let Some(op) = op {
                        last_of_unit.insert((member, op), committed.len());
                    }
                    committed.push(state);
                }
            }
        }
        for row in self.client.query(PROFILES, &[]).await? {
            let (member, version): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let value = op_of(row.try_get::<_, Option<&str>>(2)?);
            let subject = Subject { member, aspect: Aspect::Profile };
            let op = (value != 0).then_some(value);
            committed.push(Committed { state: State { subject, version, value }, op });
        }
        Ok(committed)
    }

    /// How many notes for caches stand in the database.
    pub(crate) async fn notes(&self) -> Result<i64, BoxError> {
        let count = "SELECT count(*) FROM cache_invalidations";
        Ok(self.client.query_one(count, &[]).await?.try_get(0)?)
    }

    /// Whether the ledger adds up: what the database says can only be held against the cache if it
    /// agrees with itself.
    pub(crate) async fn adds_up(&self) -> Result<bool, BoxError> {
        for member in &self.members {
            if !self.guildhall.ledger().verify(UserId(*member)).await?.is_clean() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The write of a once-only key: `soak-17-0` is of write 17.
fn op_of_key(key: &str) -> Option<i64> {
    key.strip_prefix("soak-")?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_known_by_their_keys_and_names() {
        assert_eq!(op_of_key("soak-4294967297-1"), Some(4_294_967_297));
        assert_eq!(op_of_key("other"), None);
        assert_eq!((op_of(Some("w12")), op_of(None), op_of(Some("Ada"))), (12, 0, 0));
    }
}
