//! Promises of [`LevelRepository`](guildhall_repository::LevelRepository).

use std::sync::Arc;

use guildhall_domain::{DomainEvent, Level, UserId, bot_levels};
use guildhall_repository::{ErrorKind, Storage};

use super::expect::{invalid, refused};
use super::given;
use crate::builder::{at_most, award, description, display_name, level, now, slug, xp};

#[doc(hidden)]
#[macro_export]
macro_rules! level_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, level as level on MultiThread:
            a_new_database_has_twenty_levels
            a_level_comes_back_as_it_was_saved
            a_saved_level_replaces_its_predecessor
            a_level_lies_strictly_between_its_neighbours
            levels_end_at_1000
            the_first_level_stays
            a_level_is_removed_once
            the_table_is_replaced_as_a_whole
            a_table_that_does_not_rise_changes_nothing
            awards_follow_the_table_as_it_stands
            recomputing_raises_and_lowers
            recomputing_goes_page_by_page
        }
    };
}
#[doc(hidden)]
pub use crate::level_promises as promises;

async fn stored_level(storage: &Arc<dyn Storage>, user: UserId) -> u32 {
    storage.points().account(user).await.unwrap().unwrap().level()
}

/// Those of [`bot_levels`], ascending.
pub async fn a_new_database_has_twenty_levels(storage: Arc<dyn Storage>) {
    let levels = storage.levels().list().await.unwrap();
    let listed: Vec<_> = levels.iter().map(|level| (level.level, level.min_xp)).collect();
    let expected: Vec<_> = bot_levels().into_iter().map(|(n, least)| (n, xp(least))).collect();
    assert_eq!(listed, expected);
}

/// Reward and lore included, with or without.
pub async fn a_level_comes_back_as_it_was_saved(storage: Arc<dyn Storage>) {
    let full = Level {
        level: 21,
        name: display_name("Großmeister 🏆"),
        min_xp: xp(20_000),
        reward_text: Some(description("A free coffee ☕")),
        unlocks_lore_code: Some(slug("lore.21")),
    };
    for saved in [full, level(23, 30_000)] {
        assert_eq!(storage.levels().save(&saved).await.unwrap(), saved);
        let levels = storage.levels().list().await.unwrap();
        assert_eq!(levels.last(), Some(&saved));
    }
}

/// Not a second row.
pub async fn a_saved_level_replaces_its_predecessor(storage: Arc<dyn Storage>) {
    let mut changed = level(2, 600);
    changed.name = display_name("Journeyman");
    storage.levels().save(&changed).await.unwrap();
    let levels = storage.levels().list().await.unwrap();
    assert_eq!((levels.len(), &levels[1]), (20, &changed));
}

/// Equal to one of them is not between them; level 1 begins at zero.
pub async fn a_level_lies_strictly_between_its_neighbours(storage: Arc<dyn Storage>) {
    let before = storage.levels().list().await.unwrap();
    for refusal in
        [level(2, 0), level(2, 1000), level(2, 1500), level(20, 13_500), level(1, 5), level(21, 7)]
    {
        invalid(storage.levels().save(&refusal).await, "min_xp");
    }
    assert_eq!(storage.levels().list().await.unwrap(), before);
}

/// And begin at 1.
pub async fn levels_end_at_1000(storage: Arc<dyn Storage>) {
    storage.levels().save(&level(1000, 1_000_000)).await.unwrap();
    for number in [0, 1001, u32::MAX] {
        invalid(storage.levels().save(&level(number, 2_000_000)).await, "level");
    }
}

/// Everybody has at least that one.
pub async fn the_first_level_stays(storage: Arc<dyn Storage>) {
    refused(storage.levels().delete(1).await, ErrorKind::InvalidState);
    assert_eq!(storage.levels().list().await.unwrap().len(), 20);
}

/// Then there is none.
pub async fn a_level_is_removed_once(storage: Arc<dyn Storage>) {
    assert!(storage.levels().delete(7).await.unwrap());
    assert!(!storage.levels().delete(7).await.unwrap());
    assert!(!storage.levels().delete(u32::MAX).await.unwrap());
    let levels = storage.levels().list().await.unwrap();
    assert!(levels.len() == 19 && levels.iter().all(|level| level.level != 7));
}

/// In whatever order it is given.
pub async fn the_table_is_replaced_as_a_whole(storage: Arc<dyn Storage>) {
    let table = [level(1, 0), level(2, 10), level(5, 1_000)];
    let shuffled = [table[2].clone(), table[0].clone(), table[1].clone()];
    storage.levels().replace_all(&shuffled).await.unwrap();
    assert_eq!(storage.levels().list().await.unwrap(), table);
}

/// Neither an empty one, nor one without level 1, with equals, or past level 1000.
pub async fn a_table_that_does_not_rise_changes_nothing(storage: Arc<dyn Storage>) {
    let before = storage.levels().list().await.unwrap();
    for table in [
        vec![],
        vec![level(2, 10)],
        vec![level(1, 0), level(2, 10), level(3, 10)],
        vec![level(1, 0), level(2, 10), level(2, 20)],
        vec![level(1, 0), level(1001, 10)],
    ] {
        let outcome = storage.levels().replace_all(&table).await;
        refused(outcome, ErrorKind::Validation);
    }
    assert_eq!(storage.levels().list().await.unwrap(), before);
}

/// From the next award on, over gaps in the numbering too. A level is passed when experience crosses
/// its beginning; one that came to lie below by an edit of the table is only caught up with.
pub async fn awards_follow_the_table_as_it_stands(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 100).await;
    assert_eq!(stored_level(&storage, ada).await, 1);
    let table = [level(1, 0), level(2, 50), level(3, 101), level(6, 102), level(9, 500)];
    storage.levels().replace_all(&table).await.unwrap();
    let outcome = storage.points().award(&award(ada, 2), now()).await.unwrap();
    let reached: Vec<_> = outcome
        .events
        .iter()
        .filter_map(|event| match event {
            DomainEvent::LevelUp { level, .. } => Some(*level),
            _ => None,
        })
        .collect();
    assert_eq!((reached, stored_level(&storage, ada).await), (vec![3, 6], 6));
}

/// To what the experience gives; who stands right is not counted.
pub async fn recomputing_raises_and_lowers(storage: Arc<dyn Storage>) {
    let high = given::funded(&storage, "high", 600).await;
    let low = given::funded(&storage, "low", 60).await;
    let right = given::member(&storage, "right").await;
    assert_eq!((stored_level(&storage, high).await, stored_level(&storage, low).await), (2, 1));
    let table = [level(1, 0), level(2, 50), level(3, 10_000)];
    storage.levels().replace_all(&[level(1, 0), level(2, 1_000)]).await.unwrap();
    assert_eq!(storage.levels().recompute(None, at_most(50), now()).await.unwrap(), (1, None));
    assert_eq!(stored_level(&storage, high).await, 1);
    storage.levels().replace_all(&table).await.unwrap();
    assert_eq!(storage.levels().recompute(None, at_most(50), now()).await.unwrap(), (2, None));
    for (user, level) in [(high, 2), (low, 2), (right, 1)] {
        assert_eq!(stored_level(&storage, user).await, level);
    }
    assert_eq!(storage.levels().recompute(None, at_most(50), now()).await.unwrap(), (0, None));
}

/// Until it says that nobody is left.
pub async fn recomputing_goes_page_by_page(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 7, 60).await;
    storage.levels().replace_all(&[level(1, 0), level(2, 50)]).await.unwrap();
    let (mut changed, mut after, mut pages) = (0, None, 0);
    loop {
        let (count, next) = storage.levels().recompute(after, at_most(2), now()).await.unwrap();
        assert!(count <= 2);
        changed += count;
        pages += 1;
        match next {
            Some(_) if pages < 10 => after = next,
            Some(_) => panic!("no end after {pages} pages"),
            None => break,
        }
    }
    assert_eq!(changed, 7);
    for id in ids {
        assert_eq!(stored_level(&storage, id).await, 2);
    }
}
