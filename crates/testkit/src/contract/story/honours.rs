use std::sync::Arc;

use guildhall_domain::{
    Access, CommunityZone, MissionCadence, NewChoice, NewFragment, Requirement, UserId, unmet,
};
use guildhall_repository::{Repositories, Storage};

use super::super::given;
use crate::builder::{
    achievement, badge, badge_award, choice, decision, fragment, hours, mission_of, now, period,
    slug, unlock,
};

/// A hall with a free way, and one that asks for something, as the room behind it does.
struct Branch {
    storage: Arc<dyn Storage>,
    ada: UserId,
    /// Who never fulfils anything.
    bob: UserId,
    wanted: Requirement,
}

impl Branch {
    async fn asking_for(storage: &Arc<dyn Storage>, wanted: Requirement) -> Self {
        let requirements = vec![wanted.clone()];
        let locked = NewChoice { requirements: requirements.clone(), ..choice("vault") };
        let hall = NewFragment { choices: vec![choice("yard"), locked], ..decision("hall", &[]) };
        let vault = NewFragment { requirements, ..fragment("vault") };
        given::story(storage, &[fragment("yard"), vault, hall]).await;
        let ada = given::member(storage, "ada").await;
        let bob = given::member(storage, "bob").await;
        let branch = Self { storage: Arc::clone(storage), ada, bob, wanted };
        branch.is_open(false).await;
        branch
    }

    /// For the member, and for nobody else: the room, the choice, and the choice as a unit sees it.
    async fn is_open(&self, open: bool) {
        for (user, open) in [(self.ada, open), (self.bob, false)] {
            let missing = if open { vec![] } else { vec![self.wanted.clone()] };
            let access = self.storage.story().can_access(user, &slug("vault"), now()).await;
            assert_eq!(access.unwrap(), Access { allowed: open, unmet: missing.clone() });
            let free = self.storage.story().can_access(user, &slug("yard"), now()).await.unwrap();
            assert!(free.allowed);
            assert_eq!(self.missing(&*self.storage, user).await, missing);
            let work = self.storage.begin().await.unwrap();
            assert_eq!(self.missing(&*work, user).await, missing);
            work.rollback().await.unwrap();
        }
    }

    /// What the member lacks for the second choice.
    async fn missing<R: Repositories + ?Sized>(&self, on: &R, user: UserId) -> Vec<Requirement> {
        let hall = on.narrative().fragment(&slug("hall")).await.unwrap().unwrap();
        let wanted = &hall.choices[1].requirements;
        assert_eq!(*wanted, std::slice::from_ref(&self.wanted));
        unmet(wanted, &on.story().standing(user, wanted).await.unwrap(), now())
    }
}

/// In whatever period, and not by progress; a period that is taken back closes it again.
pub async fn a_completed_mission_opens_a_branch(storage: Arc<dyn Storage>) {
    let mission = mission_of("m", MissionCadence::Daily, 2);
    storage.missions().create(&mission, now()).await.unwrap();
    storage.missions().create(&mission_of("n", MissionCadence::Daily, 2), now()).await.unwrap();
    let branch = Branch::asking_for(&storage, Requirement::Mission(slug("m"))).await;
    let (steps, id, ada) = (storage.mission_progress(), slug("m"), branch.ada);
    let today = period("2026-03-01");
    steps.open_period(ada, &id, today, now()).await.unwrap();
    branch.is_open(false).await;
    // Another mission is none.
    steps.open_period(ada, &slug("n"), today, now()).await.unwrap();
    assert!(steps.close_period(ada, &slug("n"), today, now()).await.unwrap());
    branch.is_open(false).await;
    assert!(steps.close_period(ada, &id, today, now()).await.unwrap());
    branch.is_open(true).await;
    let (zone, tomorrow) = (CommunityZone::utc(), now().plus(hours(24)));
    steps.start(ada, &id, &zone, tomorrow).await.unwrap();
    branch.is_open(true).await;
    assert!(steps.reset_current(ada, &id, &zone, now()).await.unwrap());
    branch.is_open(false).await;
}

/// As long as it is held, and again when it is given again; also after nobody else can get it.
pub async fn a_held_badge_opens_a_branch(storage: Arc<dyn Storage>) {
    let badges = storage.badges();
    let crown = badges.create(&badge("crown"), now()).await.unwrap().id;
    let other = badges.create(&badge("other"), now()).await.unwrap().id;
    let branch = Branch::asking_for(&storage, Requirement::Badge(crown)).await;
    let ada = branch.ada;
    badges.give(&badge_award(ada, other), now()).await.unwrap();
    branch.is_open(false).await;
    for _ in 0..2 {
        badges.give(&badge_award(ada, crown), now()).await.unwrap();
        branch.is_open(true).await;
        assert!(badges.take(ada, crown, None, None, now()).await.unwrap().value);
        branch.is_open(false).await;
    }
    badges.give(&badge_award(ada, crown), now()).await.unwrap();
    assert!(badges.delete(crown, false).await.unwrap());
    branch.is_open(true).await;
}

/// Who has it has it, active or not; an unlock that was rolled back opens nothing.
pub async fn an_unlocked_achievement_opens_a_branch(storage: Arc<dyn Storage>) {
    for id in ["finder", "other"] {
        storage.achievements().create(&achievement(id, &[]), now()).await.unwrap();
    }
    let branch = Branch::asking_for(&storage, Requirement::Achievement(slug("finder"))).await;
    let ada = branch.ada;
    storage.user_achievements().unlock(&unlock(ada, "other"), now()).await.unwrap();
    branch.is_open(false).await;
    let work = storage.begin().await.unwrap();
    work.user_achievements().unlock(&unlock(ada, "finder"), now()).await.unwrap();
    assert_eq!(branch.missing(&*work, ada).await, []);
    work.rollback().await.unwrap();
    branch.is_open(false).await;
    storage.user_achievements().unlock(&unlock(ada, "finder"), now()).await.unwrap();
    branch.is_open(true).await;
    assert!(storage.achievements().delete(&slug("finder"), false).await.unwrap());
    branch.is_open(true).await;
}
