//! What the tests of this crate share.

use guildhall_domain::{
    Clock, EntryId, EntryKind, LanguageTag, PointEntry, Points, Random, Source, Timestamp, UiState,
    User, UserId, Vip,
};

/// It is always the same instant.
pub(crate) struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }
}

/// Chance that always draws seven.
pub(crate) struct Seven;

impl Random for Seven {
    fn next_u64(&self) -> u64 {
        7
    }
}

pub(crate) fn user(id: i64) -> User {
    User {
        id: UserId(id),
        username: None,
        first_name: None,
        last_name: None,
        display_name: None,
        bio: None,
        avatar_url: None,
        email: None,
        email_verified: false,
        phone: None,
        phone_verified: false,
        language: LanguageTag::english(),
        is_admin: false,
        is_active: true,
        notifications_enabled: true,
        vip: Vip::None,
        ui_state: UiState::root(),
        last_checked_match_id: None,
        total_requests: 0,
        last_active_at: None,
        last_login_at: None,
        last_reminder_sent_at: None,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
        deleted_at: None,
        version: 1,
    }
}

pub(crate) fn entry(user: i64, points: i64) -> PointEntry {
    PointEntry {
        id: EntryId(1),
        user: UserId(user),
        seq: 1,
        amount: Points::whole(points).unwrap(),
        balance_after: Points::whole(points).unwrap(),
        kind: EntryKind::Award,
        source: Source::parse("test").unwrap(),
        source_ref: None,
        description: None,
        base_amount: None,
        multiplier: None,
        counterpart: None,
        transfer: None,
        idem_key: None,
        created_at: Timestamp::EPOCH,
    }
}
