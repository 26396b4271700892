//! The log of rewards, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::dsl::exists;
use diesel::prelude::*;
use guildhall_domain::{GrantedReward, UserId};
use guildhall_repository::{Keyset, Page, PageRequest, RewardRepository, StorageError};

use super::Conn;
use super::lease::{Lease, Mode};
use super::together::together;
use crate::fault::Worked;
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::{NewRewardRow, RewardRow};
use crate::schema::{reward_log, users};

/// The list, in cursors.
const OF_USER: Keyset<i64> = Keyset::new("rewards");

queries! {
    impl RewardRepository by rewards, |lease| {
        Transaction record(reward: &GrantedReward) -> bool => record_on;
        Bare of_user(user: UserId, page: &PageRequest) -> Page<GrantedReward> {
            let (below, limit) = (OF_USER.after(page)?, page.limit());
        } => of_user_on(user, below, limit);
    }
}

async fn record_on(conn: &mut Conn, reward: &GrantedReward) -> Worked<bool> {
    let member = users::table.find(reward.user.0).filter(users::deleted_at.is_null());
    let new = diesel::insert_into(reward_log::table).values(NewRewardRow::of(reward));
    let new = new.on_conflict(reward_log::once_key).do_nothing();
    let (known, written) = together!(
        conn,
        on => diesel::select(exists(member)).get_result::<bool>(on),
        on => new.kept().execute(on),
    );
    if !known? {
        return Err(StorageError::not_found("user", reward.user).into());
    }
    Ok(written? > 0)
}

pub(super) async fn of_user_on(
    conn: &mut Conn,
    user: UserId,
    below: Option<i64>,
    limit: u16,
) -> Worked<Page<GrantedReward>> {
    let rows: Vec<RewardRow> = reward_log::table
        .filter(reward_log::user_id.eq(user.0))
        .filter(reward_log::id.lt(below.unwrap_or(i64::MAX)))
        .order(reward_log::id.desc())
        .limit(i64::from(limit) + 1)
        .select(RewardRow::as_select())
        .load(conn)
        .await?;
    Ok(OF_USER.page(rows, limit, |row| row.id).try_map(RewardRow::into_reward)?)
}
