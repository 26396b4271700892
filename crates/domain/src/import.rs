//! Members as importers bring them: with their past.

use crate::activity::UserStats;
use crate::amount::{Points, Xp};
use crate::text::{Description, EntryReference, MatchId, Source, UiState};
use crate::time::Timestamp;
use crate::user::{NewUser, Vip};

/// A movement of points from another system's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedEntry {
    /// Its key there: the row id.
    pub source_key: String,
    /// By how much; not zero.
    pub amount: Points,
    /// What for.
    pub source: Source,
    /// The thing within the source.
    pub source_ref: Option<EntryReference>,
    /// In words.
    pub description: Option<Description>,
    /// When.
    pub created_at: Timestamp,
}

/// VIP standing as found in another system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportedVip {
    /// The longest standing that any of its tables gives.
    pub standing: Vip,
    /// Whether only a role without any date said so.
    pub role_only: bool,
}

/// A member of another system with everything that belongs to it. Written whole or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedMember {
    /// The key there, unique in its table: the row id.
    pub source_key: String,
    /// Identity, with the external accounts by which it is recognised on a second run.
    pub user: NewUser,
    /// VIP standing.
    pub vip: ImportedVip,
    /// Where the member stood in the application's menus.
    pub ui_state: Option<UiState>,
    /// Whether notices may be sent.
    pub notifications_enabled: bool,
    /// The match last looked at.
    pub last_checked_match_id: Option<MatchId>,
    /// Requests ever made.
    pub total_requests: u64,
    /// Last sign of life.
    pub last_active_at: Option<Timestamp>,
    /// When a reminder last went out.
    pub last_reminder_sent_at: Option<Timestamp>,
    /// Registration.
    pub created_at: Timestamp,
    /// Statistics; `user` and `version` in it are ignored.
    pub stats: Option<UserStats>,
    /// Its ledger, oldest first.
    pub entries: Vec<ImportedEntry>,
    /// The balance there. What the entries do not explain becomes one `import` entry.
    pub balance: Points,
    /// Experience, at least.
    pub xp_at_least: Xp,
}
