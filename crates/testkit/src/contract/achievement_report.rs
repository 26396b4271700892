//! Promises of [`AchievementReportRepository`](guildhall_repository::AchievementReportRepository).

use std::sync::Arc;

use guildhall_domain::{
    AchievementLeader, AchievementRanking, NewAchievement, Points, Tier, Timestamp, Unlock, UserId,
    UserPatch,
};
use guildhall_repository::{ErrorKind, OffsetRequest, Ranked, Storage};

use super::expect::refused;
use super::given;
use crate::builder::{
    achievement, badge, badge_award, hours, now, points, rows, seconds, slug, time, unlock,
};

#[doc(hidden)]
#[macro_export]
macro_rules! achievement_report_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, achievement_report as achievement_report on MultiThread:
            equals_share_a_rank_and_the_first_comes_first
            points_have_a_board_of_their_own
            the_board_hides_the_inactive
            an_offset_cuts_the_board
            statistics_tell_of_active_holders
            statistics_of_nothing_are_not_found
            totals_add_everything_up
            nothing_adds_up_to_nothing
        }
    };
}
#[doc(hidden)]
pub use crate::achievement_report_promises as promises;

/// Six achievements, three of gold.
async fn defined(storage: &Arc<dyn Storage>) {
    let definitions = ["a", "b", "c", "d", "e", "f"].map(|id| {
        let tier = if id < "d" { Tier::Gold } else { Tier::None };
        NewAchievement { tier, ..achievement(id, &[]) }
    });
    storage.achievements().seed(&definitions, now()).await.unwrap();
}

async fn unlocked(storage: &Arc<dyn Storage>, user: UserId, id: &str, paid: i64, at: Timestamp) {
    let unlock = Unlock { points: points(paid), ..unlock(user, id) };
    storage.user_achievements().unlock(&unlock, at).await.unwrap();
}

async fn board(
    storage: &Arc<dyn Storage>,
    by: AchievementRanking,
    rows: OffsetRequest,
) -> Ranked<AchievementLeader> {
    storage.achievement_reports().leaderboard(by, rows, now()).await.unwrap()
}

fn ranks(board: &Ranked<AchievementLeader>) -> Vec<(u64, UserId)> {
    board.items.iter().map(|row| (row.rank, row.user)).collect()
}

async fn hide(storage: &Arc<dyn Storage>, user: UserId) {
    let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
    let version = storage.users().by_id(user).await.unwrap().unwrap().version;
    storage.users().update(user, &patch, version, false, now()).await.unwrap();
}

/// Of equals who was there first, then the smaller id; who has none is not ranked.
pub async fn equals_share_a_rank_and_the_first_comes_first(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 6, 0).await;
    defined(&storage).await;
    let lately = now().minus(seconds(1));
    for (index, held, last) in
        [(0, 2, now()), (1, 2, lately), (2, 3, now()), (3, 2, now()), (4, 1, now())]
    {
        for id in &["a", "b", "c"][..held - 1] {
            unlocked(&storage, ids[index], id, 0, now().minus(hours(9))).await;
        }
        unlocked(&storage, ids[index], "f", 0, last).await;
    }
    let found = board(&storage, AchievementRanking::Count, rows(10, 0)).await;
    let expected = [(1, ids[2]), (2, ids[1]), (2, ids[0]), (2, ids[3]), (5, ids[4])];
    assert_eq!((ranks(&found), found.total), (expected.to_vec(), 5));
    let row = &found.items[1];
    assert_eq!((row.name.as_str(), row.count, row.points), ("member1", 2, Points::ZERO));
    assert_eq!((row.last_unlocked_at, &row.avatar_url), (lately, &None));
}

/// Who was paid nothing is not on it.
pub async fn points_have_a_board_of_their_own(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 3, 0).await;
    defined(&storage).await;
    unlocked(&storage, ids[0], "a", 5, now()).await;
    unlocked(&storage, ids[1], "a", 4, now()).await;
    unlocked(&storage, ids[1], "b", 4, now()).await;
    unlocked(&storage, ids[2], "a", 0, now()).await;
    let found = board(&storage, AchievementRanking::Points, rows(10, 0)).await;
    assert_eq!((ranks(&found), found.total), (vec![(1, ids[1]), (2, ids[0])], 2));
    assert_eq!((found.items[0].points, found.items[0].count), (points(8), 2));
    let found = board(&storage, AchievementRanking::Count, rows(10, 0)).await;
    assert_eq!((ranks(&found)[0], found.total), ((1, ids[1]), 3));
}

/// From ranks and totals, too.
pub async fn the_board_hides_the_inactive(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 0).await;
    defined(&storage).await;
    unlocked(&storage, ids[0], "a", 1, now()).await;
    unlocked(&storage, ids[0], "b", 1, now()).await;
    unlocked(&storage, ids[1], "a", 1, now()).await;
    hide(&storage, ids[0]).await;
    for by in AchievementRanking::ALL {
        let found = board(&storage, *by, rows(10, 0)).await;
        assert_eq!((ranks(&found), found.total), (vec![(1, ids[1])], 1));
    }
}

/// Ranks are those of the whole board.
pub async fn an_offset_cuts_the_board(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 5, 0).await;
    defined(&storage).await;
    for member in &ids[..4] {
        unlocked(&storage, *member, "a", 1, now()).await;
    }
    unlocked(&storage, ids[3], "b", 1, now()).await;
    let found = board(&storage, AchievementRanking::Count, rows(2, 2)).await;
    assert_eq!((ranks(&found), found.total), (vec![(2, ids[1]), (2, ids[2])], 4));
    let beyond = board(&storage, AchievementRanking::Count, rows(2, 9)).await;
    assert_eq!((beyond.items.len(), beyond.total), (0, 4));
}

/// Of all active members; months are those of UTC.
pub async fn statistics_tell_of_active_holders(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 4, 0).await;
    defined(&storage).await;
    let (first, last) = (time("2025-12-31T23:59:59.999999Z"), time("2026-02-01T00:00:00Z"));
    unlocked(&storage, ids[0], "a", 0, first).await;
    unlocked(&storage, ids[1], "a", 0, last).await;
    unlocked(&storage, ids[2], "a", 0, first.minus(hours(1))).await;
    hide(&storage, ids[2]).await;
    let found = storage.achievement_reports().statistics(&slug("a")).await.unwrap();
    assert_eq!((found.holders, found.rate.get()), (2, 6_666));
    assert_eq!((found.first_unlocked_at, found.last_unlocked_at), (Some(first), Some(last)));
    let months: Vec<_> =
        found.by_month.iter().map(|one| (one.month.to_string(), one.count)).collect();
    assert_eq!(months, [("2025-12".to_owned(), 1), ("2026-02".to_owned(), 1)]);
    let unheld = storage.achievement_reports().statistics(&slug("b")).await.unwrap();
    assert_eq!((unheld.holders, unheld.first_unlocked_at, unheld.by_month.len()), (0, None, 0));
}

/// Neither zeros nor an empty answer.
pub async fn statistics_of_nothing_are_not_found(storage: Arc<dyn Storage>) {
    let found = storage.achievement_reports().statistics(&slug("nothing")).await;
    refused(found, ErrorKind::NotFound);
}

/// Of active members; badges beside them.
pub async fn totals_add_everything_up(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 4, 0).await;
    defined(&storage).await;
    storage.achievements().delete(&slug("f"), false).await.unwrap();
    unlocked(&storage, ids[0], "a", 5, now()).await;
    unlocked(&storage, ids[0], "e", 7, now()).await;
    unlocked(&storage, ids[1], "a", 5, now()).await;
    unlocked(&storage, ids[2], "a", 5, now()).await;
    let helper = storage.badges().create(&badge("Helper"), now()).await.unwrap().id;
    storage.badges().create(&badge("Other"), now()).await.unwrap();
    for member in &ids[1..3] {
        storage.badges().give(&badge_award(*member, helper), now()).await.unwrap();
    }
    hide(&storage, ids[2]).await;
    let totals = storage.achievement_reports().totals().await.unwrap();
    assert_eq!((totals.defined, totals.active, totals.unlocks, totals.holders), (6, 5, 3, 2));
    assert_eq!((totals.holder_rate.get(), totals.points), (6_666, points(17)));
    assert_eq!((totals.by_tier.gold, totals.by_tier.none, totals.by_tier.total()), (2, 1, 3));
    assert_eq!((totals.by_month.len(), totals.by_month[0].count), (1, 3));
    assert_eq!((totals.badges, totals.badges_held), (2, 1));
}

/// Without members, too.
pub async fn nothing_adds_up_to_nothing(storage: Arc<dyn Storage>) {
    let totals = storage.achievement_reports().totals().await.unwrap();
    assert_eq!((totals.defined, totals.unlocks, totals.holder_rate.get()), (0, 0, 0));
    assert_eq!((totals.points, totals.by_month.len()), (Points::ZERO, 0));
    let found = board(&storage, AchievementRanking::Count, rows(10, 0)).await;
    assert_eq!((found.items.len(), found.total), (0, 0));
}
