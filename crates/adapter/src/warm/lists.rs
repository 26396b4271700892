//! First pages that everybody asks for, and totals.

use guildhall_domain::{AchievementRanking, LeaderboardMetric};
use guildhall_repository::{ListLimit, OffsetRequest, PageRequest};

use super::run::{Item, Warming};

/// Days and rows of what was unlocked lately, as a start page shows it.
const RECENT_DAYS: u32 = 7;
const RECENT: u32 = 10;

impl Warming<'_> {
    pub(super) async fn lists(&mut self) {
        let (on, now, rows) = (self.storage, self.now, OffsetRequest::default());
        let mut items = Vec::new();
        for &metric in LeaderboardMetric::ALL {
            let board = on.rankings().leaderboard(metric, rows, now);
            items.push(Item::new(format!("leaderboard by {metric}"), board));
        }
        for &by in AchievementRanking::ALL {
            let board = on.achievement_reports().leaderboard(by, rows, now);
            items.push(Item::new(format!("leaderboard of achievements by {by}"), board));
        }
        let first = || PageRequest::default();
        items.extend([
            Item::new("administrators", async move { on.users().admins(now, &first()).await }),
            Item::new("VIPs", async move { on.users().vip_users(now, &first()).await }),
            Item::new(
                "recent achievements",
                on.user_achievements().recent(RECENT_DAYS, RECENT, now),
            ),
            Item::new("popular fragments", on.story().popularity(ListLimit::default())),
            Item::new("totals of points", on.rankings().totals()),
            Item::new("points in circulation", on.rankings().points_in_circulation()),
            Item::new("totals of members", on.profiles().user_totals(now)),
            Item::new("totals of missions", on.mission_reports().totals()),
            Item::new("totals of the story", on.story().totals()),
        ]);
        self.expect(items.len() as u64);
        self.load(items).await;
    }
}
