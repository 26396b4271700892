//! What the tests of workflows stand on: a storage, its services, and a member or two.

use std::sync::Arc;

use guildhall_domain::{
    Achievement, Criterion, FragmentKind, Label, Metric, MissionCadence, NewAchievement,
    NewFragment, NewLorePiece, NewMission, Objective, Reward, UserId, Xp,
};
use guildhall_repository::{EntryFilter, Storage};
use guildhall_service::{
    Achievements, Activities, Badges, Crediting, CreditingRules, Members, Missions, Outbox,
    Registration, Rewards, Store, Stories, WorkflowRules, Workflows,
};
use guildhall_testkit::builder::{amount, now, page, points, slug, user};
use guildhall_testkit::{FixedClock, SeededRandom};

/// A storage with all services on it.
pub(crate) struct Ground {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) registration: Registration,
    pub(crate) crediting: Crediting,
    pub(crate) missions: Missions,
    pub(crate) stories: Stories,
    pub(crate) achievements: Achievements,
    pub(crate) badges: Badges,
    pub(crate) store: Store,
    pub(crate) rewards: Rewards,
    pub(crate) activities: Activities,
    pub(crate) members: Members,
}

impl Ground {
    /// With events in the outbox, as most tests want to compare them.
    pub(crate) async fn on(storage: &Arc<dyn Storage>) -> Self {
        Self::with(storage, Outbox::on())
    }

    pub(crate) fn with(storage: &Arc<dyn Storage>, outbox: Outbox) -> Self {
        let clock = Arc::new(FixedClock::at(now()));
        let random = Arc::new(SeededRandom::new(3));
        let registration = Registration::new(Arc::clone(storage), clock.clone(), random.clone());
        let rules = CreditingRules::default();
        let crediting = Crediting::new(Arc::clone(storage), clock.clone(), random, rules);
        let (registration, crediting) =
            (registration.outbox(outbox.clone()), crediting.outbox(outbox));
        let workflows = Workflows::new(crediting.clone(), WorkflowRules::default());
        Self {
            storage: Arc::clone(storage),
            clock,
            missions: Missions::new(workflows.clone()),
            stories: Stories::new(workflows.clone()),
            achievements: Achievements::new(workflows.clone()),
            badges: Badges::new(workflows.clone()),
            store: Store::new(workflows.clone()),
            rewards: Rewards::new(workflows.clone()),
            activities: Activities::new(workflows.clone()),
            members: Members::new(crediting.clone()),
            registration,
            crediting,
        }
    }

    pub(crate) async fn member(&self, name: &str) -> UserId {
        self.storage.users().create(&user(name), now()).await.unwrap().id
    }

    pub(crate) async fn members(&self, count: usize) -> Vec<UserId> {
        let mut all = Vec::new();
        for n in 0..count {
            all.push(self.member(&format!("member{n}")).await);
        }
        all
    }

    pub(crate) async fn mission(&self, new: NewMission) {
        self.storage.missions().create(&new, now()).await.unwrap();
    }

    pub(crate) async fn achievement(&self, new: NewAchievement) {
        self.storage.achievements().create(&new, now()).await.unwrap();
    }

    pub(crate) async fn lore(&self, code: &str) {
        self.storage.lore().create_piece(&lore(code), now()).await.unwrap();
    }

    pub(crate) async fn fragment(&self, new: NewFragment) {
        self.storage.narrative().create_fragment(&new, now()).await.unwrap();
    }

    pub(crate) async fn balance(&self, user: UserId) -> i64 {
        let account = self.storage.points().account(user).await.unwrap().unwrap();
        account.balance().minor()
    }

    /// The sources of the member's entries, oldest first.
    pub(crate) async fn sources(&self, user: UserId) -> Vec<String> {
        let found =
            self.storage.ledger().transactions(user, &EntryFilter::default(), &page(200)).await;
        let mut sources: Vec<_> =
            found.unwrap().items.into_iter().map(|entry| entry.source.to_string()).collect();
        sources.reverse();
        sources
    }

    /// The kinds of all events in the outbox that nobody has claimed, in their order.
    pub(crate) async fn outbox(&self) -> Vec<String> {
        let lease = std::time::Duration::from_secs(60);
        let batch = self.storage.outbox().claim(500, lease, now()).await.unwrap();
        batch.events.into_iter().map(|event| event.kind).collect()
    }

    /// No account breaks a rule of the ledger.
    pub(crate) async fn verify(&self) {
        let audit = guildhall_service::audit(&*self.storage, |_| {}).await.unwrap();
        assert!(audit.breaks.is_empty(), "{audit:?}");
    }
}

pub(crate) fn mission(id: &str) -> NewMission {
    let title = guildhall_domain::Title::parse(&format!("Mission {id}")).unwrap();
    NewMission::new(slug(id), title, MissionCadence::OneTime)
}

/// A mission of one action, so many times, which pays points.
pub(crate) fn errand(id: &str, action: &str, times: u64, pays: i64) -> NewMission {
    mission(id).objective(Objective::action(slug(action), times)).reward(reward(pays))
}

pub(crate) fn reward(whole: i64) -> Reward {
    Reward::Points(amount(whole))
}

pub(crate) fn experience(whole: i64) -> Reward {
    Reward::Xp(Xp::whole(whole).unwrap())
}

/// An achievement by rule, which pays points.
pub(crate) fn earned(id: &str, metric: &str, threshold: i64, pays: i64) -> NewAchievement {
    NewAchievement {
        criteria: vec![Criterion::at_least(Metric::parse(metric).unwrap(), threshold)],
        reward_points: points(pays),
        category: Achievement::global_category(),
        ..NewAchievement::new(slug(id), Label::parse(id).unwrap())
    }
}

pub(crate) fn fragment(id: &str, kind: FragmentKind) -> NewFragment {
    let title = guildhall_domain::Title::parse(id).unwrap();
    let content = guildhall_domain::Content::parse(&format!("What happens in {id}. 🏰")).unwrap();
    NewFragment::new(slug(id), title, content, kind)
}

pub(crate) fn lore(code: &str) -> NewLorePiece {
    NewLorePiece {
        code: slug(code),
        title: guildhall_domain::Title::parse(code).unwrap(),
        description: None,
        content_type: guildhall_domain::LoreContentType::Text,
        content: guildhall_domain::Content::parse("An old map.").unwrap(),
        category: None,
        is_main_story: false,
        is_active: true,
        requirements: Vec::new(),
        legacy_key: None,
    }
}
