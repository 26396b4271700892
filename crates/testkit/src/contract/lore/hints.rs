use std::collections::BTreeSet;
use std::sync::Arc;

use guildhall_domain::{HintCombination, LoreId};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use crate::builder::{at_most, legacy_key, slug};

async fn pieces(storage: &Arc<dyn Storage>, count: usize) -> Vec<LoreId> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(given::piece(storage, &format!("hint{n}")).await);
    }
    ids
}

fn combination(code: &str, required: &[LoreId], reward: LoreId) -> HintCombination {
    let required: BTreeSet<LoreId> = required.iter().copied().collect();
    HintCombination { code: slug(code), required, reward, legacy_key: Some(legacy_key("C 1/ñ")) }
}

/// Neither fewer nor more.
pub async fn a_combination_needs_exactly_its_pieces(storage: Arc<dyn Storage>) {
    let ids = pieces(&storage, 25).await;
    let two = combination("two", &ids[..2], ids[24]);
    let many = combination("many", &ids[..20], ids[24]);
    for new in [&two, &many] {
        storage.lore().create_combination(new).await.unwrap();
    }
    let of = async |ids: &[LoreId]| {
        let ids: BTreeSet<LoreId> = ids.iter().copied().collect();
        storage.lore().combination_of(&ids).await.unwrap()
    };
    assert_eq!(of(&[ids[1], ids[0]]).await, Some(two));
    assert_eq!(of(&ids[..20]).await, Some(many));
    for other in [&ids[..1], &ids[..3], &ids[1..3], &ids[..19], &ids[..21], &[]] {
        assert_eq!(of(other).await, None, "{other:?}");
    }
}

/// Or are called the same.
pub async fn no_two_combinations_need_the_same(storage: Arc<dyn Storage>) {
    let ids = pieces(&storage, 4).await;
    storage.lore().create_combination(&combination("one", &ids[..2], ids[3])).await.unwrap();
    for same in [combination("two", &ids[..2], ids[2]), combination("one", &ids[1..3], ids[3])] {
        refused(storage.lore().create_combination(&same).await, ErrorKind::AlreadyExists);
    }
    assert_eq!(storage.lore().combinations(None, at_most(9)).await.unwrap().len(), 1);
}

/// And one that breaks a rule of its own.
pub async fn a_combination_of_unknown_pieces_is_refused(storage: Arc<dyn Storage>) {
    let ids = pieces(&storage, 22).await;
    for unknown in [
        combination("x", &[ids[0], LoreId(999_999)], ids[1]),
        combination("x", &ids[..2], LoreId(999_999)),
    ] {
        refused(storage.lore().create_combination(&unknown).await, ErrorKind::NotFound);
    }
    for (broken, field) in [
        (combination("x", &ids[..1], ids[21]), "pieces"),
        (combination("x", &ids[..21], ids[21]), "pieces"),
        (combination("x", &ids[..2], ids[0]), "reward"),
    ] {
        invalid(storage.lore().create_combination(&broken).await, field);
    }
    assert_eq!(storage.lore().combinations(None, at_most(9)).await.unwrap(), []);
}

/// From just past one of them, and are gone once deleted.
pub async fn combinations_are_listed_by_their_codes(storage: Arc<dyn Storage>) {
    let ids = pieces(&storage, 5).await;
    let new = [
        combination("b", &ids[..2], ids[4]),
        combination("c.1", &ids[1..3], ids[4]),
        combination("a_1", &ids[2..4], ids[4]),
        combination("a-1", &ids[1..4], ids[4]),
    ];
    for new in &new {
        storage.lore().create_combination(new).await.unwrap();
    }
    let listed = async |after: Option<&str>, limit| {
        let after = after.map(slug);
        let listed = storage.lore().combinations(after, at_most(limit)).await.unwrap();
        listed.into_iter().map(|combination| combination.code.into_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed(None, 9).await, ["a-1", "a_1", "b", "c.1"]);
    assert_eq!(listed(Some("a-1"), 2).await, ["a_1", "b"]);
    assert_eq!(listed(Some("c.1"), 2).await, Vec::<String>::new());
    assert!(storage.lore().delete_combination(&slug("b")).await.unwrap());
    assert!(!storage.lore().delete_combination(&slug("b")).await.unwrap());
    assert_eq!(listed(None, 9).await, ["a-1", "a_1", "c.1"]);
    assert_eq!(storage.lore().combination_of(&new[0].required).await.unwrap(), None);
    storage.lore().create_combination(&new[0]).await.unwrap();
}
