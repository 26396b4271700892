//! What members are interested in, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    InterestCategory, InterestCategoryId, InterestLevel, InterestTopic, Timestamp, UserId,
    UserInterest,
};
use guildhall_repository::{InterestRepository, Keyset, Page, PageRequest, StorageError};

use super::lease::{Lease, Mode};
use super::point::lock_member_on;
use super::{Backend, Conn};
use crate::fault::{Worked, broken_uniqueness};
use crate::queries::queries;
use crate::rows::{CategoryRow, InterestRow, TopicRow};
use crate::schema::{interest_categories, user_interests};
use crate::types::DbTime;

/// The list, in cursors.
const CATEGORIES: Keyset<i64> = Keyset::new("interest_categories");

queries! {
    impl InterestRepository by interests, |lease| {
        Bare categories(active_only: bool, page: &PageRequest) -> Page<InterestCategory> {
            let (after, limit) = (CATEGORIES.after(page)?, page.limit());
        } => categories_on(active_only, after, limit);
        Statement create_category(topic: &InterestTopic) -> InterestCategory => create_category_on;
        Transaction update_category(
            id: InterestCategoryId,
            topic: &InterestTopic,
            expected_version: i64,
        ) -> InterestCategory => update_category_on;
        Bare of_user(user: UserId) -> Vec<UserInterest> => of_user_on;
        Transaction add(
            user: UserId,
            category: InterestCategoryId,
            level: InterestLevel,
            now: Timestamp,
        ) -> UserInterest => add_on;
        Statement remove(user: UserId, category: InterestCategoryId) -> bool => remove_on;
    }
}

const ENTITY: &str = "interest category";

/// The names are unique, so they alone make the order; the cursor holds the id, and the name is
/// looked up.
async fn categories_on(
    conn: &mut Conn,
    active_only: bool,
    after: Option<i64>,
    limit: u16,
) -> Worked<Page<InterestCategory>> {
    use interest_categories::dsl as c;
    let mut query = c::interest_categories
        .order(c::name_key)
        .limit(i64::from(limit) + 1)
        .select(CategoryRow::as_select())
        .into_boxed::<Backend>();
    if active_only {
        query = query.filter(c::is_active);
    }
    if let Some(after) = after {
        let last = diesel::alias!(interest_categories as last);
        let name = last.filter(last.field(c::id).eq(after)).select(last.field(c::name_key));
        query = query.filter(c::name_key.nullable().gt(name.single_value()));
    }
    let rows: Vec<CategoryRow> = query.load(conn).await?;
    Ok(CATEGORIES.page(rows, limit, |row| row.id).try_map(CategoryRow::into_category)?)
}

fn taken(topic: &InterestTopic) -> StorageError {
    StorageError::already_exists(ENTITY, &topic.name)
}

async fn create_category_on(conn: &mut Conn, topic: &InterestTopic) -> Worked<InterestCategory> {
    let created: Option<CategoryRow> = diesel::insert_into(interest_categories::table)
        .values((TopicRow::of(topic), interest_categories::version.eq(1)))
        .on_conflict_do_nothing()
        .returning(CategoryRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    Ok(created.ok_or_else(|| taken(topic))?.into_category()?)
}

async fn update_category_on(
    conn: &mut Conn,
    id: InterestCategoryId,
    topic: &InterestTopic,
    expected: i64,
) -> Worked<InterestCategory> {
    use interest_categories::dsl as c;
    let changed: Result<Option<CategoryRow>, _> =
        diesel::update(c::interest_categories.find(id.0).filter(c::version.eq(expected)))
            .set((TopicRow::of(topic), c::version.eq(c::version + 1)))
            .returning(CategoryRow::as_returning())
            .get_result(conn)
            .await
            .optional();
    match changed {
        Ok(Some(row)) => Ok(row.into_category()?),
        Ok(None) => {
            let version = c::interest_categories.find(id.0).select(c::version);
            let version: Option<i64> = version.first(conn).await.optional()?;
            let version = version.ok_or_else(|| StorageError::not_found(ENTITY, id))?;
            Err(StorageError::conflict(ENTITY, id, expected, version).into())
        }
        Err(error) if broken_uniqueness(&error).is_some() => Err(taken(topic).into()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn of_user_on(conn: &mut Conn, user: UserId) -> Worked<Vec<UserInterest>> {
    let rows: Vec<(InterestRow, CategoryRow)> = user_interests::table
        .inner_join(interest_categories::table)
        .filter(user_interests::user_id.eq(user.0))
        .order(interest_categories::name_key)
        .limit(UserInterest::PER_USER_MAX as i64)
        .select((InterestRow::as_select(), CategoryRow::as_select()))
        .load(conn)
        .await?;
    rows.into_iter().map(|(row, category)| Ok(row.into_interest(category)?)).collect()
}

async fn add_on(
    conn: &mut Conn,
    user: UserId,
    category: InterestCategoryId,
    level: InterestLevel,
    now: Timestamp,
) -> Worked<UserInterest> {
    lock_member_on(conn, user).await?;
    let row = InterestRow {
        user_id: user.0,
        category_id: category.0,
        level: i32::from(level.get()),
        selected_at: DbTime(now),
    };
    let category: Option<CategoryRow> = interest_categories::table
        .find(row.category_id)
        .filter(interest_categories::is_active)
        .select(CategoryRow::as_select())
        .first(conn)
        .await
        .optional()?;
    let category = category.ok_or_else(|| StorageError::not_found(ENTITY, row.category_id))?;
    let chosen: Vec<i64> = user_interests::table
        .filter(user_interests::user_id.eq(user.0))
        .limit(UserInterest::PER_USER_MAX as i64)
        .select(user_interests::category_id)
        .load(conn)
        .await?;
    if chosen.contains(&row.category_id) {
        let key = format!("{} of user {user}", row.category_id);
        return Err(StorageError::already_exists("interest", key).into());
    }
    if chosen.len() >= UserInterest::PER_USER_MAX {
        let limit = UserInterest::PER_USER_MAX as u64;
        return Err(StorageError::LimitExceeded { limit, used: limit, retry_at: None }.into());
    }
    diesel::insert_into(user_interests::table).values(&row).execute(conn).await?;
    Ok(row.into_interest(category)?)
}

async fn remove_on(conn: &mut Conn, user: UserId, category: InterestCategoryId) -> Worked<bool> {
    let chosen = user_interests::table.find((user.0, category.0));
    Ok(diesel::delete(chosen).execute(conn).await? > 0)
}
