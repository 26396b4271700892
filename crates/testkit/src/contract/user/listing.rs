use std::sync::Arc;

use guildhall_domain::{
    ActivityRecord, CommunityZone, LanguageTag, NewUser, Role, UserId, UserPatch, Vip,
};
use guildhall_repository::{Cursor, Storage, UserFilter, UserOrder};

use super::super::expect::{invalid, walk};
use super::super::given;
use crate::builder::{at_most, days, external, hours, now, page, provider, seconds, user};

async fn listed(storage: &Arc<dyn Storage>, filter: &UserFilter) -> Vec<UserId> {
    ordered(storage, filter, UserOrder::Id, 200).await
}

/// Ids in this order, checked against the count.
async fn ordered(
    storage: &Arc<dyn Storage>,
    filter: &UserFilter,
    order: UserOrder,
    limit: u32,
) -> Vec<UserId> {
    let users = storage.users();
    let items = walk(limit, async |page| users.list(filter, order, now(), &page).await).await;
    assert_eq!(users.count(filter, now()).await.unwrap(), items.len() as u64);
    items.iter().map(|user| user.id).collect()
}

async fn seen(storage: &Arc<dyn Storage>, user: UserId, ago: u64) {
    let record = ActivityRecord { user, at: now().minus(seconds(ago)), requests: 1 };
    storage.activity().record(&[record], &CommunityZone::utc()).await.unwrap();
}

/// Inactive and deleted members are left out.
pub async fn lists_hold_active_members_unless_asked(storage: Arc<dyn Storage>) {
    let shown = given::member(&storage, "shown").await;
    let hidden = given::registered(&storage, "hidden").await;
    let deleted = given::member(&storage, "deleted").await;
    let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
    storage.users().update(hidden.id, &patch, 1, false, now()).await.unwrap();
    storage.users().delete(deleted, now()).await.unwrap();
    assert_eq!(listed(&storage, &UserFilter::default()).await, [shown]);
    let all = UserFilter { include_inactive: true, ..UserFilter::default() };
    assert_eq!(listed(&storage, &all).await, [shown, hidden.id, deleted]);
}

/// Times from and since: the first includes its bound, the second does not.
pub async fn a_list_filters_by_each_field(storage: Arc<dyn Storage>) {
    let make = async |name: &str, age: u64, change: fn(&mut NewUser)| {
        let mut new = user(name);
        change(&mut new);
        storage.users().create(&new, now().minus(hours(age))).await.unwrap().id
    };
    let admin = make("admin", 3, |new| new.is_admin = true).await;
    let player = make("player", 2, |new| new.externals.push(external("faceit", "f1"))).await;
    let iberian = make("iberian", 1, |new| {
        new.language = Some(LanguageTag::parse("pt-BR").unwrap());
    })
    .await;
    let portuguese = make("portuguese", 0, |new| {
        new.language = Some(LanguageTag::parse("pt").unwrap());
    })
    .await;
    seen(&storage, player, 10).await;
    seen(&storage, iberian, 20).await;
    let base = UserFilter::default;
    let ago = |count| Some(now().minus(hours(count)));
    for (filter, expected) in [
        (UserFilter { is_admin: Some(true), ..base() }, vec![admin]),
        (UserFilter { is_admin: Some(false), ..base() }, vec![player, iberian, portuguese]),
        (UserFilter { has_provider: Some(provider("faceit")), ..base() }, vec![player]),
        (UserFilter { has_provider: Some(provider("google")), ..base() }, vec![]),
        (
            UserFilter { language: Some(LanguageTag::parse("pt").unwrap()), ..base() },
            vec![portuguese],
        ),
        (UserFilter { active_since: Some(now().minus(seconds(20))), ..base() }, vec![player]),
        (
            UserFilter { active_since: Some(now().minus(seconds(21))), ..base() },
            vec![player, iberian],
        ),
        (UserFilter { created_from: ago(1), ..base() }, vec![iberian, portuguese]),
        (UserFilter { created_before: ago(1), ..base() }, vec![admin, player]),
    ] {
        assert_eq!(listed(&storage, &filter).await, expected, "{filter:?}");
    }
}

/// Roles are exact and derived at the time of the call.
pub async fn a_list_filters_by_role_and_standing(storage: Arc<dyn Storage>) {
    let free = given::member(&storage, "free").await;
    let past = given::vip(&storage, "past", Vip::Until(now())).await;
    let vip = given::vip(&storage, "vip", Vip::Until(now().plus(seconds(1)))).await;
    let lifetime = given::vip(&storage, "lifetime", Vip::Lifetime).await;
    let admin = given::member(&storage, "admin").await;
    let both = given::vip(&storage, "both", Vip::Lifetime).await;
    for id in [admin, both] {
        storage.users().set_admin(id, true, now()).await.unwrap();
    }
    let role = |role| UserFilter { role: Some(role), ..UserFilter::default() };
    assert_eq!(listed(&storage, &role(Role::Free)).await, [free, past]);
    assert_eq!(listed(&storage, &role(Role::Vip)).await, [vip, lifetime]);
    assert_eq!(listed(&storage, &role(Role::Admin)).await, [admin, both]);
    let standing = UserFilter { vip_only: true, ..UserFilter::default() };
    assert_eq!(listed(&storage, &standing).await, [vip, lifetime, both]);
    let later = now().plus(days(1));
    assert_eq!(storage.users().count(&standing, later).await.unwrap(), 2);
}

/// A member must pass all of them.
pub async fn filters_combine(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 4, 0).await;
    for &id in &ids[1..] {
        storage
            .users()
            .link_external(id, &external("faceit", &id.to_string()), now())
            .await
            .unwrap();
    }
    for &id in &ids[..3] {
        storage.users().set_admin(id, true, now()).await.unwrap();
    }
    seen(&storage, ids[2], 5).await;
    let filter = UserFilter {
        is_admin: Some(true),
        role: Some(Role::Admin),
        has_provider: Some(provider("faceit")),
        active_since: Some(now().minus(seconds(6))),
        created_from: Some(now()),
        ..UserFilter::default()
    };
    assert_eq!(listed(&storage, &filter).await, [ids[2]]);
}

/// Pages of every size, over ties and absent values, give the same list.
pub async fn every_order_pages_without_loss(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 9, 0).await;
    for (index, ago) in [(0, 30), (2, 10), (3, 10), (4, 10), (6, 30), (8, 20)] {
        seen(&storage, ids[index], ago).await;
    }
    for (name, end) in [("v1", Some(10)), ("v2", None), ("v3", Some(5)), ("v4", Some(10))] {
        let standing = end.map_or(Vip::Lifetime, |end| Vip::Until(now().plus(seconds(end))));
        given::vip(&storage, name, standing).await;
    }
    let filter = UserFilter::default();
    for order in [UserOrder::LastActive, UserOrder::Id, UserOrder::VipExpiry] {
        let whole = ordered(&storage, &filter, order, 200).await;
        assert_eq!(whole.len(), 13);
        for limit in [1, 2, 3, 5, 12, 13] {
            assert_eq!(ordered(&storage, &filter, order, limit).await, whole, "{order:?} {limit}");
        }
    }
}

/// Of those active together, the greater id comes first.
pub async fn the_last_active_come_first_and_the_never_active_last(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 5, 0).await;
    for (index, ago) in [(0, 30), (2, 10), (3, 10)] {
        seen(&storage, ids[index], ago).await;
    }
    let filter = UserFilter::default();
    assert_eq!(
        ordered(&storage, &filter, UserOrder::LastActive, 2).await,
        [ids[3], ids[2], ids[0], ids[4], ids[1]]
    );
}

/// For ever and never come last, by ascending id.
pub async fn standings_that_end_sooner_come_first(storage: Arc<dyn Storage>) {
    let until = |count| Vip::Until(now().plus(hours(count)));
    let lifetime = given::vip(&storage, "lifetime", Vip::Lifetime).await;
    let late = given::vip(&storage, "late", until(9)).await;
    let none = given::member(&storage, "none").await;
    let soon = given::vip(&storage, "soon", until(1)).await;
    let late_too = given::vip(&storage, "late_too", until(9)).await;
    assert_eq!(
        ordered(&storage, &UserFilter::default(), UserOrder::VipExpiry, 2).await,
        [soon, late, late_too, lifetime, none]
    );
}

/// Of another order, of another list, or made up.
pub async fn a_cursor_of_another_list_is_refused(storage: Arc<dyn Storage>) {
    given::crowd(&storage, 3, 5).await;
    let filter = UserFilter::default();
    let users = storage.users();
    let by_id = users.list(&filter, UserOrder::Id, now(), &page(1)).await.unwrap();
    let by_id = by_id.next_cursor.unwrap();
    let accounts = storage.rankings().accounts_above(Default::default(), &page(1)).await.unwrap();
    let accounts = accounts.next_cursor.unwrap();
    let made_up: Cursor = "users~1".parse().unwrap();
    for (order, cursor) in [
        (UserOrder::LastActive, &by_id),
        (UserOrder::VipExpiry, &by_id),
        (UserOrder::Id, &accounts),
        (UserOrder::Id, &made_up),
    ] {
        let request = page(1).after(cursor.clone());
        invalid(users.list(&filter, order, now(), &request).await, "cursor");
    }
}

/// A last page that happens to be full has no successor, and an empty list has none either.
pub async fn an_exact_last_page_ends_the_list(storage: Arc<dyn Storage>) {
    let filter = UserFilter::default();
    let users = storage.users();
    let none = users.list(&filter, UserOrder::Id, now(), &page(2)).await.unwrap();
    assert_eq!((none.items.len(), none.next_cursor), (0, None));
    given::crowd(&storage, 4, 0).await;
    let first = users.list(&filter, UserOrder::Id, now(), &page(2)).await.unwrap();
    let request = page(2).after(first.next_cursor.unwrap());
    let last = users.list(&filter, UserOrder::Id, now(), &request).await.unwrap();
    assert_eq!((last.items.len(), last.next_cursor), (2, None));
}

/// Admins by id, VIPs by the end of their standing.
pub async fn admins_and_vips_have_lists_of_their_own(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 3, 0).await;
    for id in [ids[2], ids[0]] {
        storage.users().set_admin(id, true, now()).await.unwrap();
    }
    let lifetime = given::vip(&storage, "lifetime", Vip::Lifetime).await;
    let soon = given::vip(&storage, "soon", Vip::Until(now().plus(hours(1)))).await;
    given::vip(&storage, "past", Vip::Until(now().minus(hours(1)))).await;
    let users = storage.users();
    let admins = walk(1, async |page| users.admins(now(), &page).await).await;
    assert_eq!(admins.iter().map(|user| user.id).collect::<Vec<_>>(), [ids[0], ids[2]]);
    let vips = walk(1, async |page| users.vip_users(now(), &page).await).await;
    assert_eq!(vips.iter().map(|user| user.id).collect::<Vec<_>>(), [soon, lifetime]);
}

/// Most requests first, then the lower id.
pub async fn the_most_active_come_first(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 4, 0).await;
    let record = |index: usize, requests| ActivityRecord { user: ids[index], at: now(), requests };
    let records = [record(1, 5), record(2, 9), record(3, 5)];
    storage.activity().record(&records, &CommunityZone::utc()).await.unwrap();
    let top = storage.users().top_active(at_most(3)).await.unwrap();
    let top: Vec<_> = top.iter().map(|user| (user.id, user.total_requests)).collect();
    assert_eq!(top, [(ids[2], 9), (ids[1], 5), (ids[3], 5)]);
}
