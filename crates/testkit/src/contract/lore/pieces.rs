use std::sync::Arc;

use guildhall_domain::{
    Content, Effect, EffectAction, EffectTrigger, HintCombination, LoreContentType, LoreId,
    LorePiece, NewFragment, NewLorePiece, Requirement, Reward, Slug,
};
use guildhall_repository::{ErrorKind, LoreFilter, Page, Repositories, Storage};

use super::super::expect::{invalid, refused, walk};
use super::super::given;
use crate::builder::{
    content, fragment, hours, legacy_key, level, lore, now, page, slug, summary, title,
};

fn full(code: &str, content_type: LoreContentType) -> NewLorePiece {
    NewLorePiece {
        code: slug(code),
        title: title("الخريطة 🗺️"),
        description: Some(summary("Найдена в подвале \u{202e}\nDécouverte")),
        content_type,
        content: content(&"🦀é".repeat(Content::CHARS_MAX / 2)),
        category: Some(slug("main.maps")),
        is_main_story: true,
        is_active: false,
        requirements: vec![Requirement::Level(2), Requirement::Lore(slug("key"))],
        legacy_key: Some(legacy_key("Mapa ñ/1")),
    }
}

fn codes(pieces: &[LorePiece]) -> Vec<&str> {
    pieces.iter().map(|piece| piece.code.as_str()).collect()
}

/// Every field, in whatever script, of every kind of content.
pub async fn a_piece_comes_back_as_it_was_written(storage: Arc<dyn Storage>) {
    let every = LoreContentType::ALL.iter().map(|kind| full(kind.as_str(), *kind));
    for new in every.chain([lore("bare")]) {
        let made = storage.lore().create_piece(&new, now()).await.unwrap();
        assert_eq!(made.to_new(), new);
        assert_eq!((made.created_at, made.updated_at, made.version), (now(), now(), 1));
        assert_eq!(storage.lore().piece(&new.code).await.unwrap(), Some(made.clone()));
        assert_eq!(storage.lore().pieces_by_ids(&[made.id]).await.unwrap(), [made]);
    }
    assert_eq!(storage.lore().piece(&slug("nothing")).await.unwrap(), None);
}

/// And what is stored stays, in a unit too.
pub async fn a_taken_code_is_refused(storage: Arc<dyn Storage>) {
    let first = storage.lore().create_piece(&lore("map"), now()).await.unwrap();
    let other = full("map", LoreContentType::Text);
    refused(storage.lore().create_piece(&other, now()).await, ErrorKind::AlreadyExists);
    let work = storage.begin().await.unwrap();
    refused(work.lore().create_piece(&other, now()).await, ErrorKind::AlreadyExists);
    work.lore().create_piece(&lore("key"), now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(storage.lore().piece(&slug("map")).await.unwrap(), Some(first));
    assert!(storage.lore().piece(&slug("key")).await.unwrap().is_some());
}

/// Nobody could ever find it.
pub async fn a_piece_that_requires_itself_is_refused(storage: Arc<dyn Storage>) {
    let requirements = vec![Requirement::Lore(slug("map"))];
    let itself = NewLorePiece { requirements, ..lore("map") };
    invalid(storage.lore().create_piece(&itself, now()).await, "requirements");
    given::piece(&storage, "map").await;
    invalid(storage.lore().update_piece(&itself, 1, now()).await, "requirements");
}

/// One version on, unless nothing changes.
pub async fn an_update_replaces_a_piece(storage: Arc<dyn Storage>) {
    let made = storage.lore().create_piece(&lore("map"), now()).await.unwrap();
    let later = now().plus(hours(1));
    assert_eq!(storage.lore().update_piece(&lore("map"), 1, later).await.unwrap(), made);
    for (version, new) in [(1, full("map", LoreContentType::Audio)), (2, lore("map"))] {
        let changed = storage.lore().update_piece(&new, version, later).await.unwrap();
        assert_eq!(changed.to_new(), new);
        let stamps = (changed.created_at, changed.updated_at, changed.version);
        assert_eq!(stamps, (now(), later, version + 1));
        assert_eq!(changed.id, made.id);
        assert_eq!(storage.lore().piece(&new.code).await.unwrap(), Some(changed));
    }
}

/// And of nobody's finds nothing.
pub async fn an_update_of_an_old_piece_is_a_conflict(storage: Arc<dyn Storage>) {
    let made = storage.lore().create_piece(&lore("map"), now()).await.unwrap();
    let new = full("map", LoreContentType::Text);
    for version in [0, 2] {
        let late = storage.lore().update_piece(&new, version, now()).await;
        refused(late, ErrorKind::Conflict);
    }
    refused(storage.lore().update_piece(&lore("key"), 1, now()).await, ErrorKind::NotFound);
    assert_eq!(storage.lore().piece(&slug("map")).await.unwrap(), Some(made));
}

/// The same again changes nothing.
pub async fn a_piece_is_switched_off_and_on(storage: Arc<dyn Storage>) {
    given::piece(&storage, "map").await;
    let later = now().plus(hours(1));
    for (is_active, version) in [(true, 1), (false, 2), (false, 2), (true, 3)] {
        let piece = storage.lore().set_active(&slug("map"), is_active, later).await.unwrap();
        assert_eq!((piece.is_active, piece.version), (is_active, version));
        assert_eq!(storage.lore().piece(&slug("map")).await.unwrap(), Some(piece));
    }
    refused(storage.lore().set_active(&slug("key"), true, now()).await, ErrorKind::NotFound);
}

/// By a member, a requirement, an effect, a combination or a level.
pub async fn a_piece_in_use_is_not_deleted(storage: Arc<dyn Storage>) {
    let mut ids = Vec::new();
    for code in ["found", "asked", "given", "part.a", "part.b", "won", "level", "free"] {
        ids.push(given::piece(&storage, code).await);
    }
    let ada = given::member(&storage, "ada").await;
    storage.lore().unlock(&given::find_of(ada, ids[0]), now()).await.unwrap();
    let requirements = vec![Requirement::Lore(slug("asked"))];
    let reward = EffectAction::Reward(Reward::Lore(slug("given")));
    let effects = vec![Effect { trigger: EffectTrigger::Visit, action: reward }];
    given::story(&storage, &[NewFragment { requirements, effects, ..fragment("gate") }]).await;
    let combination = HintCombination {
        code: slug("attic"),
        required: [ids[3], ids[4]].into(),
        reward: ids[5],
        legacy_key: None,
    };
    storage.lore().create_combination(&combination).await.unwrap();
    let mut second = level(2, 500);
    second.unlocks_lore_code = Some(slug("level"));
    storage.levels().save(&second).await.unwrap();
    for code in ["found", "asked", "given", "part.a", "part.b", "won", "level"] {
        refused(storage.lore().delete_piece(&slug(code)).await, ErrorKind::InvalidState);
        assert!(storage.lore().piece(&slug(code)).await.unwrap().is_some(), "{code}");
    }
    assert!(storage.lore().delete_piece(&slug("free")).await.unwrap());
    assert!(!storage.lore().delete_piece(&slug("free")).await.unwrap());
    assert_eq!(storage.lore().piece(&slug("free")).await.unwrap(), None);
    assert!(storage.lore().delete_combination(&slug("attic")).await.unwrap());
    assert!(storage.lore().delete_piece(&slug("won")).await.unwrap());
}

/// By ids or codes; at most 500 of them.
pub async fn pieces_are_answered_once_each_in_the_order_asked(storage: Arc<dyn Storage>) {
    let mut ids = Vec::new();
    for code in ["a", "b", "c"] {
        ids.push(given::piece(&storage, code).await);
    }
    let wanted = [ids[2], LoreId(999_999), ids[0], ids[2]];
    let found = storage.lore().pieces_by_ids(&wanted).await.unwrap();
    assert_eq!(codes(&found), ["c", "a"]);
    let wanted = ["b", "nothing", "a", "b"].map(slug);
    let found = storage.lore().pieces_by_codes(&wanted).await.unwrap();
    assert_eq!(codes(&found), ["b", "a"]);
    let many: Vec<LoreId> = (1..=501).map(LoreId).collect();
    invalid(storage.lore().pieces_by_ids(&many).await, "ids");
    let many: Vec<Slug> = (1..=501).map(|n| slug(&format!("l{n}"))).collect();
    invalid(storage.lore().pieces_by_codes(&many).await, "codes");
    assert_eq!(storage.lore().pieces_by_codes(&[]).await.unwrap(), []);
}

/// Written first ones first, however many share an instant.
pub async fn pieces_are_filtered_and_page_without_loss(storage: Arc<dyn Storage>) {
    let later = now().plus(hours(1));
    for (code, category, is_active, at) in [
        ("f", Some("x"), true, later),
        ("e", Some("x"), false, now()),
        ("d", None, true, now()),
        ("c", Some("y"), true, now()),
        ("b", Some("x"), true, now()),
    ] {
        let category = category.map(slug);
        let new = NewLorePiece { category, is_active, ..lore(code) };
        storage.lore().create_piece(&new, at).await.unwrap();
    }
    let category = Some(slug("x"));
    for (filter, expected) in [
        (LoreFilter::default(), vec!["e", "d", "c", "b", "f"]),
        (LoreFilter { is_active: Some(true), category: None }, vec!["d", "c", "b", "f"]),
        (LoreFilter { category: category.clone(), is_active: None }, vec!["e", "b", "f"]),
        (LoreFilter { category: category.clone(), is_active: Some(true) }, vec!["b", "f"]),
        (LoreFilter { category, is_active: Some(false) }, vec!["e"]),
        (LoreFilter { category: Some(slug("z")), is_active: None }, vec![]),
    ] {
        for limit in [1, 2, 4, 5, 200] {
            let lore = storage.lore();
            let found = walk(limit, async |page| lore.pieces(&filter, &page).await).await;
            assert_eq!(codes(&found), expected, "{filter:?} by {limit}");
        }
        let count = storage.lore().count_pieces(&filter).await.unwrap();
        assert_eq!(count, expected.len() as u64);
    }
    let request = page(1).after("lore.unlocked~1~2".parse().unwrap());
    invalid(storage.lore().pieces(&LoreFilter::default(), &request).await, "cursor");
}

/// What every read says, with lists by several limits.
async fn everything<R: Repositories + ?Sized>(
    storage: &R,
) -> (Vec<Option<LorePiece>>, Vec<Page<LorePiece>>) {
    let (mut single, mut lists) = (Vec::new(), Vec::new());
    for code in ["a", "b"] {
        single.push(storage.lore().piece(&slug(code)).await.unwrap());
    }
    for is_active in [None, Some(true)] {
        let filter = LoreFilter { is_active, category: None };
        for limit in [1, 2, 50] {
            lists.push(storage.lore().pieces(&filter, &page(limit)).await.unwrap());
        }
    }
    (single, lists)
}

/// Alone and in lists of every size, whatever was read before.
pub async fn pieces_are_fresh_after_every_write(storage: Arc<dyn Storage>) {
    for step in 0..5 {
        everything(&*storage).await;
        match step {
            0 => drop(given::piece(&storage, "a").await),
            1 => drop(given::piece(&storage, "b").await),
            2 => {
                let new = full("a", LoreContentType::Image);
                storage.lore().update_piece(&new, 1, now()).await.unwrap();
            }
            3 => drop(storage.lore().set_active(&slug("b"), false, now()).await.unwrap()),
            _ => drop(storage.lore().delete_piece(&slug("b")).await.unwrap()),
        }
        let seen = everything(&*storage).await;
        let work = storage.begin().await.unwrap();
        assert_eq!(seen, everything(&*work).await, "after step {step}");
        work.rollback().await.unwrap();
    }
}
