//! Lists of members and the search among them, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::dsl::{case_when, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};
use guildhall_domain::{Role, Timestamp, User, Violation, Vip};
use guildhall_repository::{
    Keyset, ListLimit, Page, PageRequest, SearchField, UserFilter, UserOrder,
};

use super::user_lookup::restored;
use super::{Backend, Conn, columns};
use crate::fault::Worked;
use crate::rows::{UserRow, count};
use crate::schema::{external_accounts, users};
use crate::search::{Searched, found_at_most};
use crate::types::{DbTime, UtcTime};

/// The query builder cannot say where NULL goes on both databases. As said here, each finds the
/// order in its index.
const LAST_ACTIVE: &str = "users.last_active_at DESC NULLS LAST";
/// Literals, and one more than needed: both databases then know that the partial index serves.
const LIMITED_VIP: &str = "users.vip_kind = 'until' AND users.vip_kind <> 'none'";

/// A page that was asked for.
pub(super) struct Listed {
    filter: UserFilter,
    order: UserOrder,
    now: Timestamp,
    limit: u16,
    start: Start,
}

/// Where a page begins: past a time and an id of the order, or past an id among those without the
/// time.
#[derive(Clone, Copy)]
enum Start {
    Top,
    Past(DbTime, i64),
    PastId(i64),
}

impl Listed {
    /// Refuses cursors of other lists.
    pub(super) fn of(
        filter: &UserFilter,
        order: UserOrder,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Self, Violation> {
        let start = match order {
            UserOrder::Id => BY_ID.after(page)?.map(Start::PastId),
            UserOrder::LastActive | UserOrder::VipExpiry => {
                by_time(order).after(page)?.map(|(time, id)| match time {
                    Some(time) => Start::Past(time, id),
                    None => Start::PastId(id),
                })
            }
        };
        let start = start.unwrap_or(Start::Top);
        Ok(Self { filter: filter.clone(), order, now, limit: page.limit(), start })
    }

    fn page(&self, members: Vec<User>) -> Page<User> {
        let time = |last: &User| match (self.order, last.vip) {
            (UserOrder::LastActive, _) => last.last_active_at,
            (_, Vip::Until(end)) => Some(end),
            (_, Vip::None | Vip::Lifetime) => None,
        };
        match self.order {
            UserOrder::Id => BY_ID.page(members, self.limit, |last| last.id.0),
            order => {
                by_time(order).page(members, self.limit, |last| (time(last).map(DbTime), last.id.0))
            }
        }
    }
}

const BY_ID: Keyset<i64> = Keyset::new("users.id");

const fn by_time(order: UserOrder) -> Keyset<(Option<DbTime>, i64)> {
    Keyset::new(match order {
        UserOrder::VipExpiry => "users.vip",
        UserOrder::LastActive | UserOrder::Id => "users.active",
    })
}

/// The members that pass the filter, in no order yet.
fn filtered(filter: &UserFilter, now: Timestamp) -> users::BoxedQuery<'static, Backend> {
    let standing = || {
        let limited = users::vip_kind.eq("until").and(users::vip_expires_at.gt(DbTime(now)));
        users::vip_kind.eq("lifetime").or(limited)
    };
    let mut query = users::table.into_boxed::<Backend>();
    if !filter.include_inactive {
        query = query.filter(users::is_active);
    }
    query = match filter.is_admin {
        Some(true) => query.filter(users::is_admin),
        Some(false) => query.filter(not(users::is_admin)),
        None => query,
    };
    query = match filter.role {
        Some(Role::Admin) => query.filter(users::is_admin),
        Some(Role::Vip) => query.filter(not(users::is_admin)).filter(standing()),
        Some(Role::Free) => query.filter(not(users::is_admin)).filter(not(standing())),
        None => query,
    };
    if filter.vip_only {
        query = query.filter(standing());
    }
    if let Some(since) = filter.active_since {
        query = query.filter(users::last_active_at.gt(DbTime(since)));
    }
    if let Some(provider) = &filter.has_provider {
        let holders = external_accounts::table
            .filter(external_accounts::provider.eq(provider.to_string()))
            .select(external_accounts::user_id);
        query = query.filter(users::id.eq_any(holders));
    }
    if let Some(language) = &filter.language {
        query = query.filter(users::language.eq(language.as_str().to_owned()));
    }
    if let Some(from) = filter.created_from {
        query = query.filter(users::created_at.ge(DbTime(from)));
    }
    if let Some(before) = filter.created_before {
        query = query.filter(users::created_at.lt(DbTime(before)));
    }
    query
}

/// Those with a time come before those without, and are fetched first: each part then is one
/// stretch of an index, however deep the page.
pub(super) async fn list_on(conn: &mut Conn, wanted: &Listed) -> Worked<Page<User>> {
    let fetched = i64::from(wanted.limit) + 1;
    let mut rows = Vec::new();
    if wanted.order != UserOrder::Id && !matches!(wanted.start, Start::PastId(_)) {
        rows = timed_on(conn, wanted, fetched).await?;
    }
    let missing = fetched - i64::try_from(rows.len()).unwrap_or(fetched);
    if missing > 0 {
        rows.extend(untimed_on(conn, wanted, missing).await?);
    }
    Ok(wanted.page(restored(rows)?))
}

async fn timed_on(conn: &mut Conn, wanted: &Listed, limit: i64) -> QueryResult<Vec<UserRow>> {
    let mut query = filtered(&wanted.filter, wanted.now).limit(limit);
    if wanted.order == UserOrder::LastActive {
        if let Start::Past(time, id) = wanted.start {
            let past = users::last_active_at.lt(time).or(users::id.lt(id));
            query = query.filter(users::last_active_at.le(time)).filter(past);
        }
        query = query
            .filter(users::last_active_at.is_not_null())
            .order_by((sql::<UtcTime>(LAST_ACTIVE), users::id.desc()));
    } else {
        if let Start::Past(time, id) = wanted.start {
            let past = users::vip_expires_at.gt(time).or(users::id.gt(id));
            query = query.filter(users::vip_expires_at.ge(time)).filter(past);
        }
        query = query.filter(sql::<Bool>(LIMITED_VIP)).order_by((users::vip_expires_at, users::id));
    }
    query.select(columns::<UserRow>()).load(conn).await
}

async fn untimed_on(conn: &mut Conn, wanted: &Listed, limit: i64) -> QueryResult<Vec<UserRow>> {
    let mut query = filtered(&wanted.filter, wanted.now).limit(limit);
    query = match wanted.order {
        UserOrder::Id => query.order_by(users::id),
        UserOrder::LastActive => {
            query.filter(users::last_active_at.is_null()).order_by(users::id.desc())
        }
        UserOrder::VipExpiry => query.filter(users::vip_expires_at.is_null()).order_by(users::id),
    };
    if let Start::PastId(id) = wanted.start {
        query = match wanted.order {
            UserOrder::LastActive => query.filter(users::id.lt(id)),
            UserOrder::Id | UserOrder::VipExpiry => query.filter(users::id.gt(id)),
        };
    }
    query.select(columns::<UserRow>()).load(conn).await
}

pub(super) async fn count_on(conn: &mut Conn, filter: &UserFilter, now: Timestamp) -> Worked<u64> {
    Ok(count(filtered(filter, now).count().get_result(conn).await?))
}

pub(super) async fn top_active_on(conn: &mut Conn, limit: ListLimit) -> Worked<Vec<User>> {
    let rows = users::table
        .filter(users::is_active)
        .order_by((users::total_requests.desc(), users::id))
        .limit(i64::from(limit.get()))
        .select(columns::<UserRow>())
        .load(conn)
        .await?;
    restored(rows)
}

/// A search that was asked for: for each field its patterns, absent where it is not looked at.
/// Comparing with an absent pattern gives NULL, which finds nothing.
pub(super) struct Wanted {
    username: Option<Patterns>,
    name: Option<Patterns>,
    nickname: Option<Patterns>,
    limit: i64,
}

struct Patterns {
    exact: String,
    prefix: String,
    inside: String,
}

impl Patterns {
    /// What makes a whole column match.
    fn of_column(text: &str) -> Self {
        Self { exact: text.to_owned(), prefix: format!("{text}%"), inside: format!("%{text}%") }
    }

    /// What makes a column match that holds one name a line.
    fn of_lines(text: &str) -> Self {
        let text = text.replace('\n', " "); // As in the column.
        Self {
            exact: format!("%\n{text}\n%"),
            prefix: format!("%\n{text}%"),
            inside: format!("%{text}%"),
        }
    }
}

impl Wanted {
    /// `None` when nothing can be found.
    pub(super) fn of(
        text: &str,
        fields: &[SearchField],
        limit: ListLimit,
    ) -> Result<Option<Self>, Violation> {
        let text = Searched::parse(text)?;
        if fields.is_empty() {
            return Ok(None);
        }
        let patterns =
            |field, of: fn(&str) -> Patterns| fields.contains(&field).then(|| of(text.literal()));
        Ok(Some(Self {
            username: patterns(SearchField::Username, Patterns::of_column),
            name: patterns(SearchField::Name, Patterns::of_lines),
            nickname: patterns(SearchField::Nickname, Patterns::of_column),
            limit: found_at_most(limit),
        }))
    }
}

pub(super) async fn search_on(conn: &mut Conn, wanted: &Wanted) -> Worked<Vec<User>> {
    let occurs = |part: fn(&Patterns) -> &String| {
        let pattern = |field: &Option<Patterns>| field.as_ref().map(|field| part(field).clone());
        let nicknamed = external_accounts::table
            .filter(external_accounts::nickname_key.like(pattern(&wanted.nickname)).escape('\\'))
            .select(external_accounts::user_id);
        (users::username_key.like(pattern(&wanted.username)).escape('\\'))
            .or(users::name_key.nullable().like(pattern(&wanted.name)).escape('\\'))
            .or(users::id.eq_any(nicknamed))
    };
    let closeness = case_when::<_, _, Integer>(occurs(|patterns| &patterns.exact), 0)
        .when(occurs(|patterns| &patterns.prefix), 1)
        .otherwise(2);
    let rows = users::table
        .filter(users::is_active)
        .filter(occurs(|patterns| &patterns.inside))
        .order_by((closeness, sql::<UtcTime>(LAST_ACTIVE), users::id))
        .limit(wanted.limit)
        .select(columns::<UserRow>())
        .load(conn)
        .await?;
    restored(rows)
}
