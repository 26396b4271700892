//! The store and what members bought there, compiled once per backend.

use std::collections::{HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{Points, StoreItem, StoreItemId, StoreOffer, Timestamp, UserId, UserItem};
use guildhall_repository::{
    Change, Keyset, Page, PageRequest, StorageError, StoreFilter, StoreRepository,
};

use super::lease::{Lease, Mode};
use super::member::batch;
use super::point::lock_member_on;
use super::user::at_most;
use super::{Backend, Conn};
use crate::batch::{first_taken, fits, in_order};
use crate::fault::{Fault, Worked, broken_uniqueness};
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::{OfferRow, OwnedRow, StoreRow, count};
use crate::schema::{store_items, user_items};
use crate::types::DbTime;

/// The lists, in cursors.
const ITEMS: Keyset<i64> = Keyset::new("store");
const USER_ITEMS: Keyset<(DbTime, i64)> = Keyset::new("user_items");

queries! {
    impl StoreRepository by store, |lease| {
        Bare by_id(id: StoreItemId) -> Option<StoreItem> => by_id_on;
        Bare by_ids(ids: &[StoreItemId]) -> Vec<StoreItem> {
            at_most("ids", ids.len(), IDS_MAX)?;
            if ids.is_empty() {
                return Ok(Vec::new());
            }
        } => by_ids_on;
        Bare items(filter: &StoreFilter, page: &PageRequest) -> Page<StoreItem> {
            let (filter, after, limit) = (*filter, ITEMS.after(page)?, page.limit());
        } => items_on(filter, after, limit);
        Statement create(offer: &StoreOffer, now: Timestamp) -> StoreItem {
            offer.check()?;
        } => create_on;
        Transaction create_batch(offers: &[StoreOffer], now: Timestamp) -> Vec<StoreItem> {
            fits("offers", offers.len())?;
            offers.iter().try_for_each(StoreOffer::check)?;
        } => create_batch_on;
        Transaction update_batch(changes: &[Change<StoreItemId, StoreOffer>]) -> u64 {
            fits("changes", changes.len())?;
            changes.iter().try_for_each(|change| change.change.check())?;
        } => update_batch_on;
        Bare count(filter: &StoreFilter) -> u64 => count_on;
        Bare exists(id: StoreItemId) -> bool => exists_on;
        Transaction update(id: StoreItemId, offer: &StoreOffer, expected_version: i64) -> StoreItem {
            offer.check()?;
        } => update_on;
        Statement take_stock(id: StoreItemId) -> StoreItem => take_stock_on;
        Statement own(user: UserId, item: &StoreItem, price_paid: Points, now: Timestamp) -> UserItem
            => own_on;
        Bare user_items(user: UserId, page: &PageRequest) -> Page<UserItem> {
            let (after, limit) = (USER_ITEMS.after(page)?, page.limit());
        } => user_items_on(user, after, limit);
        Transaction equip(user: UserId, item: StoreItemId) -> UserItem => equip_on;
    }
}

/// Things looked up at once at most.
const IDS_MAX: usize = 500;
const ENTITY: &str = "store item";

async fn by_id_on(conn: &mut Conn, id: StoreItemId) -> Worked<Option<StoreItem>> {
    let row = store_items::table.find(id.0).select(StoreRow::as_select());
    Ok(row.first(conn).await.optional()?.map(StoreRow::into_item).transpose()?)
}

async fn by_ids_on(conn: &mut Conn, ids: &[StoreItemId]) -> Worked<Vec<StoreItem>> {
    let mut seen = HashSet::new();
    let ids: Vec<i64> = ids.iter().map(|id| id.0).filter(|id| seen.insert(*id)).collect();
    let wanted = store_items::table.filter(store_items::id.eq_any(ids.clone()));
    let rows: Vec<StoreRow> = wanted.select(StoreRow::as_select()).load(conn).await?;
    let mut rows: HashMap<i64, StoreRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    ids.iter().filter_map(|id| rows.remove(id)).map(|row| Ok(row.into_item()?)).collect()
}

fn filtered(filter: &StoreFilter) -> store_items::BoxedQuery<'static, Backend> {
    let mut query = store_items::table.into_boxed::<Backend>();
    if let Some(kind) = filter.kind {
        query = query.filter(store_items::kind.eq(kind.as_str()));
    }
    if !filter.include_inactive {
        query = query.filter(store_items::is_active);
    }
    query
}

async fn count_on(conn: &mut Conn, filter: &StoreFilter) -> Worked<u64> {
    Ok(count(filtered(filter).count().get_result(conn).await?))
}

async fn exists_on(conn: &mut Conn, id: StoreItemId) -> Worked<bool> {
    let known = diesel::dsl::exists(store_items::table.find(id.0));
    Ok(diesel::select(known).get_result(conn).await?)
}

/// The titles are unique, so they alone make the order; the cursor holds the id, and the title is
/// looked up.
async fn items_on(
    conn: &mut Conn,
    filter: StoreFilter,
    after: Option<i64>,
    limit: u16,
) -> Worked<Page<StoreItem>> {
    use store_items::dsl as s;
    let mut query = filtered(&filter);
    if let Some(after) = after {
        let last = diesel::alias!(store_items as last);
        let title = last.filter(last.field(s::id).eq(after)).select(last.field(s::title_key));
        query = query.filter(s::title_key.nullable().gt(title.single_value()));
    }
    let query = query.order(s::title_key).limit(i64::from(limit) + 1);
    let rows: Vec<StoreRow> = query.select(StoreRow::as_select()).load(conn).await?;
    Ok(ITEMS.page(rows, limit, |row| row.id).try_map(StoreRow::into_item)?)
}

fn taken(offer: &StoreOffer) -> StorageError {
    StorageError::already_exists(ENTITY, &offer.title)
}

async fn create_on(conn: &mut Conn, offer: &StoreOffer, now: Timestamp) -> Worked<StoreItem> {
    let (created_at, version) =
        (store_items::created_at.eq(DbTime(now)), store_items::version.eq(1));
    let created: Option<StoreRow> = diesel::insert_into(store_items::table)
        .values((OfferRow::of(offer), created_at, version))
        .on_conflict_do_nothing()
        .returning(StoreRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    Ok(created.ok_or_else(|| taken(offer))?.into_item()?)
}

async fn create_batch_on(
    conn: &mut Conn,
    offers: &[StoreOffer],
    now: Timestamp,
) -> Worked<Vec<StoreItem>> {
    use store_items::dsl as s;
    let titles: Vec<String> = offers.iter().map(|offer| offer.title.folded()).collect();
    let titled = || s::store_items.filter(s::title_key.eq_any(titles.clone()));
    let stored = titled().select(s::title_key).load(conn).await?;
    if let Some(taken) = first_taken(stored, titles.clone()) {
        return Err(StorageError::already_exists(ENTITY, taken).into());
    }
    let row = |offer| (OfferRow::of(offer), s::created_at.eq(DbTime(now)), s::version.eq(1));
    let rows: Vec<_> = offers.iter().map(row).collect();
    let insert = diesel::insert_into(s::store_items);
    let written = batch!(conn, execute, rows, insert.values(rows).on_conflict_do_nothing())?;
    if written < offers.len() {
        return Err(Fault::Raced); // Somebody took a title after the look.
    }
    let made: Vec<(String, StoreRow)> =
        titled().select((s::title_key, StoreRow::as_select())).load(conn).await?;
    let mut made: HashMap<String, StoreRow> = made.into_iter().collect();
    let rows = titles.iter().filter_map(|title| made.remove(title));
    rows.map(|row| Ok(row.into_item()?)).collect()
}

async fn update_batch_on(
    conn: &mut Conn,
    changes: &[Change<StoreItemId, StoreOffer>],
) -> Worked<u64> {
    for Change { key, change, expected_version } in in_order(changes) {
        update_on(conn, *key, change, *expected_version).await?;
    }
    Ok(changes.len() as u64)
}

async fn update_on(
    conn: &mut Conn,
    id: StoreItemId,
    offer: &StoreOffer,
    expected: i64,
) -> Worked<StoreItem> {
    use store_items::dsl as s;
    let changed: Result<Option<StoreRow>, _> =
        diesel::update(s::store_items.find(id.0).filter(s::version.eq(expected)))
            .set((OfferRow::of(offer), s::version.eq(s::version + 1)))
            .returning(StoreRow::as_returning())
            .get_result(conn)
            .await
            .optional();
    match changed {
        Ok(Some(row)) => Ok(row.into_item()?),
        Ok(None) => {
            let version = s::store_items.find(id.0).select(s::version).first(conn).await;
            let version: Option<i64> = version.optional()?;
            let version = version.ok_or_else(|| StorageError::not_found(ENTITY, id))?;
            Err(StorageError::conflict(ENTITY, id, expected, version).into())
        }
        Err(error) if broken_uniqueness(&error).is_some() => Err(taken(offer).into()),
        Err(error) => Err(error.into()),
    }
}

/// Where there is any number of a thing nothing is written, and buyers do not wait for each other.
async fn take_stock_on(conn: &mut Conn, id: StoreItemId) -> Worked<StoreItem> {
    use store_items::dsl as s;
    let taken: Option<StoreRow> =
        diesel::update(s::store_items.find(id.0).filter(s::is_active).filter(s::stock.gt(0)))
            .set((s::stock.eq(s::stock - 1), s::version.eq(s::version + 1)))
            .returning(StoreRow::as_returning())
            .kept()
            .get_result(conn)
            .await
            .optional()?;
    if let Some(row) = taken {
        return Ok(row.into_item()?);
    }
    let item = by_id_on(conn, id).await?.ok_or_else(|| StorageError::not_found(ENTITY, id))?;
    let state = match (item.offer.is_active, item.offer.stock) {
        (true, None) => return Ok(item),
        (false, _) => "inactive",
        (true, Some(0)) => "sold out",
        (true, Some(_)) => return Err(Fault::Raced), // Stocked up since the guard looked.
    };
    Err(Fault::Refused(StorageError::InvalidState {
        entity: ENTITY,
        key: id.to_string(),
        state: state.to_owned(),
        attempted: "be bought",
    }))
}

async fn own_on(
    conn: &mut Conn,
    user: UserId,
    item: &StoreItem,
    price_paid: Points,
    now: Timestamp,
) -> Worked<UserItem> {
    lock_member_on(conn, user).await?;
    let row = OwnedRow {
        user_id: user.0,
        item_id: item.id.0,
        kind: item.offer.kind.as_str().to_owned(),
        acquired_at: DbTime(now),
        price_paid: price_paid.minor(),
        equipped: false,
    };
    let owned = diesel::insert_into(user_items::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if owned == 0 {
        let key = format!("{} of user {user}", item.id);
        return Err(StorageError::already_exists("item", key).into());
    }
    Ok(row.into_owned_item(item.offer.title.to_string())?)
}

async fn user_items_on(
    conn: &mut Conn,
    user: UserId,
    after: Option<(DbTime, i64)>,
    limit: u16,
) -> Worked<Page<UserItem>> {
    use user_items::dsl as i;
    let mut query = i::user_items
        .inner_join(store_items::table)
        .filter(i::user_id.eq(user.0))
        .order((i::acquired_at.desc(), i::item_id.desc()))
        .limit(i64::from(limit) + 1)
        .select((OwnedRow::as_select(), store_items::title))
        .into_boxed::<Backend>();
    if let Some((time, id)) = after {
        let tied = i::acquired_at.eq(time).and(i::item_id.lt(id));
        query = query.filter(i::acquired_at.lt(time).or(tied));
    }
    let rows: Vec<(OwnedRow, String)> = query.load(conn).await?;
    let page = USER_ITEMS.page(rows, limit, |(row, _)| (row.acquired_at, row.item_id));
    Ok(page.try_map(|(row, title)| row.into_owned_item(title))?)
}

/// First the others are taken off: nobody ever wears two of a sort.
async fn equip_on(conn: &mut Conn, user: UserId, item: StoreItemId) -> Worked<UserItem> {
    use user_items::dsl as i;
    lock_member_on(conn, user).await?;
    let owned: Option<(OwnedRow, String)> = i::user_items
        .inner_join(store_items::table)
        .filter(i::user_id.eq(user.0).and(i::item_id.eq(item.0)))
        .select((OwnedRow::as_select(), store_items::title))
        .first(conn)
        .await
        .optional()?;
    let key = || format!("{item} of user {user}");
    let (mut row, title) = owned.ok_or_else(|| StorageError::not_found("item", key()))?;
    if !row.equipped {
        let worn = i::user_items.filter(i::user_id.eq(user.0)).filter(i::kind.eq(&row.kind));
        diesel::update(worn.filter(i::equipped))
            .set(i::equipped.eq(false))
            .kept()
            .execute(conn)
            .await?;
        diesel::update(i::user_items.find((user.0, item.0)))
            .set(i::equipped.eq(true))
            .kept()
            .execute(conn)
            .await?;
        row.equipped = true;
    }
    Ok(row.into_owned_item(title)?)
}
