use std::collections::BTreeMap;
use std::sync::Arc;

use guildhall_domain::{LeaderboardMetric, NewUser, Points, RankInfo, UserId, UserPatch};
use guildhall_repository::{Storage, UserOrder};

use super::super::expect::{invalid, walk};
use super::super::given;
use crate::builder::{
    achievement, award, deduct, display_name, external, hours, now, page, points, rows, transfer,
    unlock, user, xp,
};

use LeaderboardMetric::{Achievements, Balance, LifetimeEarned};

/// Members with so many points each.
async fn rich(storage: &Arc<dyn Storage>, balances: &[i64]) -> Vec<UserId> {
    let ids = given::crowd(storage, balances.len(), 0).await;
    for (&id, &whole) in ids.iter().zip(balances) {
        if whole > 0 {
            storage.points().award(&award(id, whole), now()).await.unwrap();
        }
    }
    ids
}

async fn board(
    storage: &Arc<dyn Storage>,
    metric: LeaderboardMetric,
) -> Vec<(u64, UserId, Points)> {
    let ranked = storage.rankings().leaderboard(metric, rows(100, 0), now()).await.unwrap();
    assert_eq!(ranked.total, ranked.items.len() as u64);
    ranked.items.iter().map(|row| (row.rank, row.user, row.value)).collect()
}

/// Greatest first, with the time of the question.
pub async fn the_board_ranks_by_value(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[5, 30, 10]).await;
    assert_eq!(
        board(&storage, Balance).await,
        [(1, ids[1], points(30)), (2, ids[2], points(10)), (3, ids[0], points(5))]
    );
    let later = now().plus(hours(1));
    let ranked = storage.rankings().leaderboard(Balance, rows(1, 0), later).await.unwrap();
    assert_eq!((ranked.items.len(), ranked.total, ranked.computed_at), (1, 3, later));
}

/// And stand in ascending order of id; the next rank counts them all.
pub async fn equals_share_a_rank(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[5, 10, 5, 10, 1, 5]).await;
    let found: Vec<_> =
        board(&storage, Balance).await.iter().map(|(rank, user, _)| (*rank, *user)).collect();
    assert_eq!(
        found,
        [(1, ids[1]), (1, ids[3]), (3, ids[0]), (3, ids[2]), (3, ids[5]), (6, ids[4])]
    );
}

/// Spending lowers the balance only, experience comes without points.
pub async fn each_metric_has_its_board(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[100, 50, 0]).await;
    storage.points().deduct(&deduct(ids[0], 90), now()).await.unwrap();
    storage.points().grant_xp(ids[2], xp(700), now()).await.unwrap();
    storage.points().transfer(&transfer(ids[1], ids[2], 20), now()).await.unwrap();
    let (a, b, c) = (ids[0], ids[1], ids[2]);
    assert_eq!(
        board(&storage, Balance).await,
        [(1, b, points(30)), (2, c, points(20)), (3, a, points(10))]
    );
    assert_eq!(board(&storage, LifetimeEarned).await, [(1, a, points(100)), (2, b, points(50))]);
    assert_eq!(
        board(&storage, LeaderboardMetric::Xp).await,
        [(1, c, points(700)), (2, a, points(100)), (3, b, points(50))]
    );
}

/// Shown name, accounts elsewhere by provider, and level.
pub async fn board_rows_say_who_it_is(storage: Arc<dyn Storage>) {
    let mut new = user("ada");
    new.display_name = Some(display_name("Ada 🦀"));
    new.externals.push(external("faceit", "f1"));
    let ada = storage.users().create(&new, now()).await.unwrap();
    let bare = storage.users().create(&NewUser::default(), now()).await.unwrap();
    for (id, whole) in [(ada.id, 600), (bare.id, 5)] {
        storage.points().award(&award(id, whole), now()).await.unwrap();
    }
    let ranked = storage.rankings().leaderboard(Balance, rows(9, 0), now()).await.unwrap();
    assert_eq!((ranked.items[0].name.as_str(), ranked.items[0].level), ("Ada 🦀", 2));
    let linked = storage.users().external_accounts(ada.id).await.unwrap();
    assert_eq!((&ranked.items[0].externals, linked.len()), (&linked, 2));
    assert_eq!((&ranked.items[1].name, ranked.items[1].level), (&bare.shown_name(), 1));
    assert_eq!(ranked.items[1].externals, []);
}

/// They are not counted either.
pub async fn the_board_hides_the_inactive_and_the_poor(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[40, 30, 20, 0]).await;
    let hidden = storage.users().by_id(ids[0]).await.unwrap().unwrap();
    let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
    storage.users().update(hidden.id, &patch, hidden.version, false, now()).await.unwrap();
    storage.users().delete(ids[1], now()).await.unwrap();
    for metric in [Balance, LifetimeEarned, LeaderboardMetric::Xp] {
        assert_eq!(board(&storage, metric).await, [(1, ids[2], points(20))], "{metric}");
    }
}

/// The ranks stay those of the whole; past the end there is nothing but the total.
pub async fn an_offset_cuts_the_board(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[9, 7, 7, 7, 5]).await;
    let cut = storage.rankings().leaderboard(Balance, rows(2, 2), now()).await.unwrap();
    let found: Vec<_> = cut.items.iter().map(|row| (row.rank, row.user)).collect();
    assert_eq!((found, cut.total), (vec![(2, ids[2]), (2, ids[3])], 5));
    let past = storage.rankings().leaderboard(Balance, rows(2, 5), now()).await.unwrap();
    assert_eq!((past.items.len(), past.total), (0, 5));
    let far = storage.rankings().leaderboard(Balance, rows(100, 10_000), now()).await.unwrap();
    assert_eq!((far.items.len(), far.total), (0, 5));
}

/// For every member and metric, with total and percentile.
pub async fn ranks_agree_with_the_board(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[5, 10, 5, 10, 1, 5, 0, 3]).await;
    storage.points().deduct(&deduct(ids[1], 6), now()).await.unwrap();
    storage.points().grant_xp(ids[6], xp(4), now()).await.unwrap();
    unlocked(&storage, &[(ids[1], 2), (ids[3], 1), (ids[6], 2), (ids[7], 1)]).await;
    for &metric in LeaderboardMetric::ALL {
        let board: BTreeMap<_, _> =
            board(&storage, metric).await.iter().map(|(rank, user, _)| (*user, *rank)).collect();
        for &id in &ids {
            let found = storage.rankings().rank_of(id, metric).await.unwrap();
            assert_eq!(found.map(|info| info.rank), board.get(&id).copied(), "{metric}");
            if let Some(info) = found {
                let expected = RankInfo::new(info.rank, board.len() as u64);
                assert_eq!(info, expected);
            }
        }
    }
}

/// Defines two achievements, and unlocks so many of them for each.
async fn unlocked(storage: &Arc<dyn Storage>, held: &[(UserId, usize)]) {
    let ids = ["first", "second"];
    for id in ids {
        storage.achievements().create(&achievement(id, &[]), now()).await.unwrap();
    }
    for &(user, count) in held {
        for id in ids.iter().take(count) {
            storage.user_achievements().unlock(&unlock(user, id), now()).await.unwrap();
        }
    }
}

/// Each counts as one point. Equals share a rank; who has none, or is inactive, is not ranked.
pub async fn achievements_have_their_board(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[600, 5, 0, 0, 9, 0]).await;
    unlocked(&storage, &[(ids[0], 1), (ids[1], 2), (ids[3], 1), (ids[4], 2)]).await;
    let hidden = storage.users().by_id(ids[4]).await.unwrap().unwrap();
    let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
    storage.users().update(hidden.id, &patch, hidden.version, false, now()).await.unwrap();
    assert_eq!(
        board(&storage, Achievements).await,
        [(1, ids[1], points(2)), (2, ids[0], points(1)), (2, ids[3], points(1))]
    );
    let cut = storage.rankings().leaderboard(Achievements, rows(1, 2), now()).await.unwrap();
    assert_eq!((cut.items[0].rank, cut.items[0].user, cut.total), (2, ids[3], 3));
    let top = storage.rankings().leaderboard(Achievements, rows(2, 0), now()).await.unwrap();
    assert_eq!((top.items[1].level, top.items[1].externals.len()), (2, 1));
    assert_eq!(storage.rankings().rank_of(ids[4], Achievements).await.unwrap(), None);
    let found = storage.rankings().rank_of(ids[3], Achievements).await.unwrap();
    assert_eq!(found, Some(RankInfo::new(2, 3)));
}

/// Whoever looks after an unlock returned sees it, for the board and for every place on it.
pub async fn an_unlock_shows_on_the_board_at_once(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[0, 0]).await;
    unlocked(&storage, &[(ids[0], 1)]).await;
    let place = async |id| {
        let found = storage.rankings().rank_of(id, Achievements).await.unwrap();
        found.map(|info| (info.rank, info.total))
    };
    assert_eq!(board(&storage, Achievements).await, [(1, ids[0], points(1))]);
    assert_eq!((place(ids[0]).await, place(ids[1]).await), (Some((1, 1)), None));
    for id in ["first", "second"] {
        storage.user_achievements().unlock(&unlock(ids[1], id), now()).await.unwrap();
    }
    assert_eq!(
        board(&storage, Achievements).await,
        [(1, ids[1], points(2)), (2, ids[0], points(1))]
    );
    assert_eq!((place(ids[0]).await, place(ids[1]).await), (Some((2, 2)), Some((1, 2))));
}

/// Neither the unknown, nor the deleted, nor the inactive.
pub async fn who_is_not_listed_has_no_rank(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[5, 10, 0, 20]).await;
    storage.users().delete(ids[1], now()).await.unwrap();
    let hidden = storage.users().by_id(ids[3]).await.unwrap().unwrap();
    let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
    storage.users().update(hidden.id, &patch, hidden.version, false, now()).await.unwrap();
    for id in [ids[1], ids[2], ids[3], UserId(999_999)] {
        assert_eq!(storage.rankings().rank_of(id, Balance).await.unwrap(), None);
    }
    let left = storage.rankings().rank_of(ids[0], Balance).await.unwrap().unwrap();
    assert_eq!((left.rank, left.total, left.percentile_bp), (1, 1, 10_000));
}

/// Greatest first.
pub async fn accounts_above_include_the_threshold(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[5, 10, 0, 20]).await;
    let above = storage.rankings().accounts_above(points(10), &page(9)).await.unwrap();
    let found: Vec<_> = above.items.iter().map(|account| account.user()).collect();
    assert_eq!(found, [ids[3], ids[1]]);
    let account = storage.points().account(ids[3]).await.unwrap();
    assert_eq!(above.items.first(), account.as_ref());
    let all = storage.rankings().accounts_above(points(0), &page(9)).await.unwrap();
    assert_eq!(all.items.len(), 4);
}

/// Least first.
pub async fn accounts_below_exclude_it(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[5, 10, 0, 20]).await;
    let below = storage.rankings().accounts_below(points(10), &page(9)).await.unwrap();
    let found: Vec<_> = below.items.iter().map(|account| account.user()).collect();
    assert_eq!(found, [ids[2], ids[0]]);
    let none = storage.rankings().accounts_below(points(0), &page(9)).await.unwrap();
    assert_eq!(none.items, []);
}

/// In pages of any size, ascending ids among equals.
pub async fn account_lists_page_over_ties(storage: Arc<dyn Storage>) {
    let ids = rich(&storage, &[5, 10, 5, 5, 10, 5, 1]).await;
    let order = |picks: [usize; 7]| picks.map(|pick| ids[pick]);
    let rankings = storage.rankings();
    for limit in [1, 2, 3, 6, 7, 8] {
        let above = walk(limit, async |page| rankings.accounts_above(points(1), &page).await).await;
        let found: Vec<_> = above.iter().map(|account| account.user()).collect();
        assert_eq!(found, order([1, 4, 0, 2, 3, 5, 6]));
        let below =
            walk(limit, async |page| rankings.accounts_below(points(99), &page).await).await;
        let found: Vec<_> = below.iter().map(|account| account.user()).collect();
        assert_eq!(found, order([6, 0, 2, 3, 5, 1, 4]));
    }
}

/// That of the opposite order, of another list, or made up.
pub async fn a_cursor_of_another_board_is_refused(storage: Arc<dyn Storage>) {
    rich(&storage, &[5, 10, 5]).await;
    let rankings = storage.rankings();
    let above = rankings.accounts_above(points(1), &page(1)).await.unwrap().next_cursor.unwrap();
    let users = storage.users().list(&Default::default(), UserOrder::Id, now(), &page(1)).await;
    let users = users.unwrap().next_cursor.unwrap();
    for cursor in [above, users.clone(), "x~1~1".parse().unwrap()] {
        let request = page(1).after(cursor);
        invalid(rankings.accounts_below(points(99), &request).await, "cursor");
    }
    invalid(rankings.accounts_above(points(1), &page(1).after(users)).await, "cursor");
}
