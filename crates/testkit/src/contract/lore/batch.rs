use std::sync::Arc;

use guildhall_domain::{
    Effect, EffectAction, EffectTrigger, HintCombination, NewFragment, NewLorePiece, Requirement,
    Reward, Slug,
};
use guildhall_repository::{BATCH_MAX, ErrorKind, LoreFilter, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use crate::builder::{fragment, hours, level, lore, now, slug, title};

fn numbered(count: usize) -> Vec<NewLorePiece> {
    (0..count).map(|n| lore(&format!("l{n:04}"))).collect()
}

fn requiring(code: &str, needed: &str) -> NewLorePiece {
    NewLorePiece { requirements: vec![Requirement::Lore(slug(needed))], ..lore(code) }
}

fn titled(code: &str, text: &str, expected_version: i64) -> (NewLorePiece, i64) {
    (NewLorePiece { title: title(text), ..lore(code) }, expected_version)
}

async fn counted(storage: &Arc<dyn Storage>) -> u64 {
    storage.lore().count_pieces(&LoreFilter::default()).await.unwrap()
}

/// In the order given, with all their parts; as many as fit.
pub async fn many_pieces_are_written_at_once(storage: Arc<dyn Storage>) {
    let pieces = storage.lore();
    assert_eq!(pieces.create_pieces(&[], now()).await.unwrap(), []);
    let mut new = numbered(BATCH_MAX);
    new.reverse();
    new[7] = NewLorePiece { is_active: false, ..requiring(new[7].code.as_str(), "l0000") };
    let made = pieces.create_pieces(&new, now()).await.unwrap();
    assert!(made.iter().map(|made| made.to_new()).eq(new.iter().cloned()));
    assert!(made.iter().all(|made| (made.created_at, made.version) == (now(), 1)));
    let codes: Vec<Slug> = made[..500].iter().map(|made| made.code.clone()).collect();
    assert_eq!(pieces.pieces_by_codes(&codes).await.unwrap(), made[..500]);
    assert_eq!(pieces.delete_pieces(&codes).await.unwrap(), 500);
    assert_eq!(counted(&storage).await, 500);
    let exists = async |code| pieces.piece_exists(&slug(code)).await.unwrap();
    assert!(exists("l0499").await && !exists("l0500").await);
}

/// A code that is taken, or given twice, a piece that breaks a rule, or too many of them.
pub async fn a_batch_of_pieces_is_written_wholly_or_not(storage: Arc<dyn Storage>) {
    given::piece(&storage, "taken").await;
    let work = storage.begin().await.unwrap();
    let create = async |new: &[NewLorePiece]| work.lore().create_pieces(new, now()).await;
    refused(create(&[lore("a"), lore("taken")]).await, ErrorKind::AlreadyExists);
    refused(create(&[lore("a"), lore("b"), lore("a")]).await, ErrorKind::AlreadyExists);
    invalid(create(&[lore("a"), requiring("b", "b")]).await, "requirements");
    invalid(create(&numbered(BATCH_MAX + 1)).await, "new");
    assert_eq!(create(&[lore("a")]).await.unwrap().len(), 1);
    work.commit().await.unwrap();
    assert_eq!(counted(&storage).await, 2);
}

/// And every read of them is fresh.
pub async fn many_pieces_are_changed_at_once_or_none(storage: Arc<dyn Storage>) {
    let pieces = storage.lore();
    pieces.create_pieces(&numbered(3), now()).await.unwrap();
    let shown = async |code| {
        let piece = pieces.piece(&slug(code)).await.unwrap().unwrap();
        (piece.title.to_string(), piece.version)
    };
    let before = shown("l0001").await;
    let later = now().plus(hours(1));
    let changes = [titled("l0002", "c", 1), titled("l0000", "a", 1), titled("l0000", "b", 2)];
    assert_eq!(pieces.update_pieces(&changes, later).await.unwrap(), 3);
    assert_eq!((shown("l0000").await, shown("l0002").await), (("b".into(), 3), ("c".into(), 2)));
    let x = || titled("l0001", "x", 1);
    let stale = [x(), titled("l0002", "y", 1)];
    refused(pieces.update_pieces(&stale, now()).await, ErrorKind::Conflict);
    let absent = [x(), titled("nothing", "y", 1)];
    refused(pieces.update_pieces(&absent, now()).await, ErrorKind::NotFound);
    invalid(pieces.update_pieces(&vec![x(); BATCH_MAX + 1], now()).await, "changes");
    assert_eq!((shown("l0001").await, shown("l0002").await), (before, ("c".into(), 2)));
}

/// What is in use stays, and with it all others; those that go together may require each other.
pub async fn many_pieces_are_removed_at_once_or_none(storage: Arc<dyn Storage>) {
    let pieces = storage.lore();
    let plain = ["found", "asked", "given", "part.a", "part.b", "won", "level", "free"].map(lore);
    let made = pieces.create_pieces(&plain, now()).await.unwrap();
    let ada = given::member(&storage, "ada").await;
    pieces.unlock(&given::find_of(ada, made[0].id), now()).await.unwrap();
    let requirements = vec![Requirement::Lore(slug("asked"))];
    let reward = EffectAction::Reward(Reward::Lore(slug("given")));
    let effects = vec![Effect { trigger: EffectTrigger::Visit, action: reward }];
    given::story(&storage, &[NewFragment { requirements, effects, ..fragment("gate") }]).await;
    let combination = HintCombination {
        code: slug("attic"),
        required: [made[3].id, made[4].id].into(),
        reward: made[5].id,
        legacy_key: None,
    };
    pieces.create_combination(&combination).await.unwrap();
    let mut second = level(2, 500);
    second.unlocks_lore_code = Some(slug("level"));
    storage.levels().save(&second).await.unwrap();
    let count = counted(&storage).await;
    for code in ["found", "asked", "given", "part.a", "part.b", "won", "level"] {
        let together = ["free", code].map(slug);
        let error = refused(pieces.delete_pieces(&together).await, ErrorKind::InvalidState);
        assert!(error.to_string().contains(code), "{error}");
    }
    assert_eq!(counted(&storage).await, count);
    let chain = [requiring("x", "y"), requiring("y", "z"), lore("z")];
    pieces.create_pieces(&chain, now()).await.unwrap();
    let codes = ["y", "z", "x", "nothing", "free", "free"].map(slug);
    refused(pieces.delete_pieces(&codes[..2]).await, ErrorKind::InvalidState);
    assert_eq!(pieces.delete_pieces(&codes).await.unwrap(), 4);
    assert_eq!(pieces.piece(&slug("x")).await.unwrap(), None);
    assert_eq!(counted(&storage).await, count - 1);
    // What they required went with them.
    let again = pieces.create_pieces(&["x", "z"].map(lore), now()).await.unwrap();
    assert!(again.iter().all(|piece| piece.requirements.is_empty()));
    let many: Vec<_> = (0..=BATCH_MAX).map(|n| slug(&format!("l{n}"))).collect();
    invalid(pieces.delete_pieces(&many).await, "codes");
}
