use std::sync::Arc;

use guildhall_domain::{
    EntryKind, ImportedMember, ImportedVip, MatchId, Points, UiState, UserId, UserStats, Vip,
};
use guildhall_repository::{
    EntryFilter, ErrorKind, ImportRun, MemberImport, MemberWarning, Storage, UserFilter,
};

use super::super::expect::{all_sound, refused, sound};
use super::super::given;
use crate::builder::{
    award, day, email, external, hours, imported, imported_entry, now, page, phone, points,
    telegram, time, user, username, xp,
};

async fn write(
    storage: &Arc<dyn Storage>,
    run: &ImportRun,
    members: &[ImportedMember],
) -> Vec<MemberImport> {
    let lease = now().plus(hours(1));
    let outcomes = storage.imports().write_members(run, members, "all", lease, now()).await;
    let outcomes = outcomes.unwrap();
    assert_eq!(outcomes.len(), members.len());
    outcomes
}

#[track_caller]
fn written(outcome: &MemberImport) -> (UserId, bool, Points, u64, &[MemberWarning]) {
    match outcome {
        MemberImport::Written { user, merged, balance, entries, warnings } => {
            (*user, *merged, *balance, *entries, warnings)
        }
        other => panic!("{other:?}"),
    }
}

fn with_past(source_key: &str, name: &str) -> ImportedMember {
    let mut member = imported(source_key, name);
    member.entries =
        vec![imported_entry("e1", 10), imported_entry("e2", -4), imported_entry("e3", 600)];
    member.balance = points(606);
    member
}

/// Identity, standing, statistics, ledger, experience and level.
pub async fn a_member_comes_with_everything(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let mut member = with_past("1", "ada");
    let end = time("2027-01-01T00:00:00.5Z");
    member.vip = ImportedVip { standing: Vip::Until(end), role_only: false };
    member.ui_state = Some(UiState::parse("shop").unwrap());
    member.notifications_enabled = false;
    member.last_checked_match_id = Some(MatchId::parse("m1").unwrap());
    member.total_requests = 77;
    member.last_active_at = Some(time("2025-08-25T16:21:57.954841Z"));
    member.last_reminder_sent_at = Some(time("2025-08-26T00:00:00Z"));
    member.created_at = time("2020-02-29T23:59:59Z");
    member.xp_at_least = xp(1_000);
    member.entries[0].created_at = time("2021-01-01T00:00:00Z");
    let stats = UserStats {
        user: UserId(0),
        messages_sent: 42,
        last_message_award_at: Some(time("2025-08-25T16:21:57Z")),
        last_reaction_award_at: None,
        checkin_streak: 3,
        longest_streak: 9,
        last_checkin_day: Some(day("2025-08-25")),
        last_gift_at: Some(time("2025-08-25T10:00:00Z")),
        days_active: 12,
        content_read: 1,
        reading_minutes: 2,
        reading_streak: 3,
        last_read_day: Some(day("2025-08-24")),
        version: 0,
    };
    member.stats = Some(stats.clone());
    let outcomes = write(&storage, &run, std::slice::from_ref(&member)).await;
    let (id, merged, balance, entries, warnings) = written(&outcomes[0]);
    assert_eq!((merged, balance, entries, warnings), (false, points(606), 3, &[][..]));

    let stored = storage.users().by_id(id).await.unwrap().unwrap();
    assert_eq!((stored.username, stored.vip), (Some(username("ada")), Vip::Until(end)));
    assert_eq!((Some(stored.ui_state), stored.notifications_enabled), (member.ui_state, false));
    assert_eq!(stored.last_checked_match_id, member.last_checked_match_id);
    assert_eq!((stored.total_requests, stored.last_active_at), (77, member.last_active_at));
    assert_eq!(stored.last_reminder_sent_at, member.last_reminder_sent_at);
    assert_eq!(stored.created_at, member.created_at);
    let linked = storage.users().external_accounts(id).await.unwrap();
    assert_eq!(linked[0].external_id, telegram("ada").external_id);

    let kept = storage.activity().stats(id).await.unwrap().unwrap();
    assert_eq!(UserStats { user: id, version: kept.version, ..stats }, kept);
    let account = storage.points().account(id).await.unwrap().unwrap();
    assert_eq!((account.balance(), account.xp(), account.level()), (points(606), xp(1_000), 3));
    let ledger =
        storage.ledger().transactions(id, &EntryFilter::default(), &page(9)).await.unwrap();
    let found: Vec<_> =
        ledger.items.iter().map(|entry| (entry.seq, entry.amount, entry.created_at)).collect();
    assert_eq!(
        found,
        [
            (3, points(600), now()),
            (2, points(-4), now()),
            (1, points(10), member.entries[0].created_at),
        ]
    );
    sound(&*storage, &[id]).await;
}

/// Everybody is recognised, by the same import or a later one of the same source.
pub async fn a_second_run_changes_nothing(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let members = [with_past("1", "ada"), imported("2", "bob")];
    let first = write(&storage, &run, &members).await;
    let before = storage.rankings().totals().await.unwrap();
    let rows = storage.imports().rows(run.id).await.unwrap();
    let again = write(&storage, &run, &members).await;
    for (first, again) in first.iter().zip(&again) {
        let (user, _, balance, entries, _) = written(first);
        assert_eq!(again, &MemberImport::Unchanged { user, balance, entries });
    }
    storage.imports().finish(&run, now()).await.unwrap();
    assert_eq!(storage.rankings().totals().await.unwrap(), before);
    assert_eq!(storage.imports().rows(run.id).await.unwrap(), rows);
    assert_eq!(all_sound(&*storage).await, (2, 3));
}

/// By its account elsewhere; its points come on top.
pub async fn a_member_known_here_is_joined(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 5).await;
    let run = given::running(&storage, "a.db").await;
    let outcomes = write(&storage, &run, &[with_past("1", "ada")]).await;
    let (id, merged, balance, entries, _) = written(&outcomes[0]);
    assert_eq!((id, merged, balance, entries), (ada, true, points(606), 3));
    assert_eq!(given::balance(&storage, ada).await, points(611));
    assert_eq!(storage.users().count(&UserFilter::default(), now()).await.unwrap(), 1);
    sound(&*storage, &[ada]).await;
    let again = write(&storage, &run, &[with_past("1", "ada")]).await;
    assert!(matches!(again[0], MemberImport::Unchanged { .. }), "{again:?}");
    assert_eq!(given::balance(&storage, ada).await, points(611));
}

/// Name, address and number.
pub async fn taken_names_are_left_out_and_reported(storage: Arc<dyn Storage>) {
    let mut holder = user("ada");
    holder.email = Some(email("ada@example.org"));
    holder.phone = Some(phone("+4915112345678"));
    storage.users().create(&holder, now()).await.unwrap();
    let run = given::running(&storage, "a.db").await;
    let mut member = imported("1", "eve");
    member.user.username = Some(username("ADA"));
    member.user.email = Some(email("ADA@example.org"));
    member.user.phone = holder.phone.clone();
    let mut twin = imported("2", "max");
    twin.user.username = Some(username("eve"));
    let mut third = imported("3", "zoe");
    third.user.username = Some(username("EVE"));
    let outcomes = write(&storage, &run, &[member, twin, third]).await;
    let (id, _, _, _, warnings) = written(&outcomes[0]);
    for warning in
        [MemberWarning::UsernameTaken, MemberWarning::EmailTaken, MemberWarning::PhoneTaken]
    {
        assert!(warnings.contains(&warning), "{warning:?}");
    }
    let stored = storage.users().by_id(id).await.unwrap().unwrap();
    assert_eq!((stored.username, stored.email, stored.phone), (None, None, None));
    assert_eq!(written(&outcomes[1]).4, []);
    assert_eq!(written(&outcomes[2]).4, [MemberWarning::UsernameTaken]);
}

/// As one `import` entry over the difference, either way.
pub async fn what_the_entries_do_not_explain_is_entered(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let mut more = with_past("1", "more");
    more.balance = points(700);
    let mut less = with_past("2", "less");
    less.balance = points(600);
    let mut bare = imported("3", "bare");
    bare.balance = points(9);
    let outcomes = write(&storage, &run, &[more, less, bare]).await;
    for (outcome, balance, difference) in
        [(&outcomes[0], 700, 94), (&outcomes[1], 600, -6), (&outcomes[2], 9, 9)]
    {
        let (id, _, brought, _, warnings) = written(outcome);
        let difference = points(difference);
        assert_eq!(brought, points(balance));
        assert_eq!(warnings, [MemberWarning::BalanceDiffers { difference }]);
        assert_eq!(given::balance(&storage, id).await, points(balance));
        let filter = EntryFilter { kind: Some(EntryKind::Import), ..EntryFilter::default() };
        let entries = storage.ledger().transactions(id, &filter, &page(9)).await.unwrap().items;
        let amounts: Vec<_> = entries.iter().map(|entry| entry.amount).collect();
        assert_eq!(amounts, [difference]);
        sound(&*storage, &[id]).await;
    }
}

/// No balance is negative on the way, and the end is what it was there.
pub async fn an_overdrawn_ledger_is_compensated(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let mut member = imported("1", "ada");
    member.entries =
        vec![imported_entry("e1", 5), imported_entry("e2", -8), imported_entry("e3", 10)];
    member.balance = points(7);
    let outcomes = write(&storage, &run, &[member]).await;
    let (id, _, balance, _, warnings) = written(&outcomes[0]);
    let overdrawn = MemberWarning::Overdrawn { source_key: "e2".to_owned() };
    assert!(warnings.contains(&overdrawn), "{warnings:?}");
    assert_eq!(balance, points(7));
    assert_eq!(given::balance(&storage, id).await, points(7));
    sound(&*storage, &[id]).await;
}

/// It is skipped with a reason.
pub async fn a_bad_member_stops_nobody(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let mut bad = imported("2", "bad");
    bad.user.externals = vec![external("faceit", "f1"), external("faceit", "f2")];
    let outcomes = write(&storage, &run, &[imported("1", "ada"), bad, imported("3", "eve")]).await;
    assert!(matches!(outcomes[1], MemberImport::Skipped { .. }), "{outcomes:?}");
    written(&outcomes[0]);
    written(&outcomes[2]);
    assert_eq!(storage.users().count(&UserFilter::default(), now()).await.unwrap(), 2);
    assert_eq!(storage.users().by_username(&username("bad")).await.unwrap(), None);
}

/// And found by who goes on.
pub async fn the_checkpoint_is_kept_with_the_batch(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let lease = now().plus(hours(1));
    for (key, checkpoint) in [("1", "users 1"), ("2", "users 2 ü")] {
        let members = [imported(key, &format!("m{key}"))];
        storage.imports().write_members(&run, &members, checkpoint, lease, now()).await.unwrap();
        let found = storage.imports().find("a.db").await.unwrap().unwrap();
        assert_eq!(found.checkpoint.as_deref(), Some(checkpoint));
    }
}

/// 1001 are refused, and the checkpoint stays.
pub async fn at_most_1000_members_are_written(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let members: Vec<_> = (0..1001).map(|n| imported(&n.to_string(), &format!("m{n}"))).collect();
    let lease = now().plus(hours(1));
    let outcome = storage.imports().write_members(&run, &members, "all", lease, now()).await;
    refused(outcome, ErrorKind::Validation);
    assert_eq!(storage.users().count(&UserFilter::default(), now()).await.unwrap(), 0);
    assert_eq!(storage.imports().find("a.db").await.unwrap().unwrap().checkpoint, None);
    let outcomes = write(&storage, &run, &members[..1000]).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, MemberImport::Written { .. })));
    assert_eq!(storage.users().count(&UserFilter::default(), now()).await.unwrap(), 1000);
}

/// Somebody else took the import over meanwhile.
pub async fn a_batch_without_the_lease_is_refused(storage: Arc<dyn Storage>) {
    let run = storage.imports().begin(&given::import("a.db", "ada"), now()).await.unwrap();
    let later = now().plus(hours(2));
    let mut new = given::import("a.db", "bob");
    new.leased_until = now().plus(hours(9));
    let taken = storage.imports().begin(&new, later).await.unwrap();
    storage.imports().finish(&taken, later).await.unwrap();
    let mut new = given::import("b.db", "bob");
    new.leased_until = now().plus(hours(9));
    storage.imports().begin(&new, later).await.unwrap();
    let members = [imported("1", "ada")];
    let lease = now().plus(hours(3));
    let outcome = storage.imports().write_members(&run, &members, "1", lease, later).await;
    refused(outcome, ErrorKind::InvalidState);
    assert_eq!(storage.users().count(&UserFilter::default(), now()).await.unwrap(), 0);
    // Without an import, members keep coming as always.
    let ada = given::member(&storage, "ada").await;
    storage.points().award(&award(ada, 1), now()).await.unwrap();
}
