//! What acts cost on the way to PostgreSQL. A note costs no round trip, where the write is one
//! statement or opens a transaction of its own.

use std::sync::Arc;

use guildhall_domain::{MatchId, ObjectiveKind, Patch, UiState, UserId, UserPatch};
use guildhall_repository::{InvalidationNote, Repositories, Storage};
use guildhall_service::Outbox;
use guildhall_testkit::builder::{award, days, hold, now, slug, user};
use guildhall_testkit::server::{TestSchema, postgres_schema};

use crate::harness;
use crate::wire::{Cost, Proxy};
use crate::workflows::ground::{Ground, earned, errand};

/// A write that finds something to change in every turn.
#[derive(Clone, Copy, Debug)]
enum Write {
    Award,
    SetAdmin,
    SetUiState,
    SetLastCheckedMatch,
    TouchLogin,
    /// A transaction of its own.
    Hold,
    /// The same, and a read of what is to be changed.
    Update,
}

impl Write {
    const STATEMENTS: [Self; 5] = [
        Self::Award,
        Self::SetAdmin,
        Self::SetUiState,
        Self::SetLastCheckedMatch,
        Self::TouchLogin,
    ];
    const TRANSACTIONS: [Self; 2] = [Self::Hold, Self::Update];

    async fn run(self, on: &dyn Repositories, ada: UserId, turn: i64) {
        let text = turn.to_string();
        match self {
            Self::Award => drop(on.points().award(&award(ada, 1), now()).await.unwrap()),
            Self::SetAdmin => drop(on.users().set_admin(ada, turn % 2 == 0, now()).await.unwrap()),
            Self::SetUiState => {
                let state = UiState::parse(&text).unwrap();
                on.users().set_ui_state(ada, &state).await.unwrap();
            }
            Self::SetLastCheckedMatch => {
                let found = MatchId::parse(&text).unwrap();
                on.users().set_last_checked_match(ada, &found).await.unwrap();
            }
            Self::TouchLogin => {
                let later = now().plus(days(u64::try_from(turn).unwrap()));
                on.users().touch_login(ada, later).await.unwrap();
            }
            Self::Hold => drop(on.points().hold(&hold(ada, 1, &text), now()).await.unwrap()),
            Self::Update => {
                let version = on.users().by_id(ada).await.unwrap().unwrap().version;
                let patch = UserPatch { bio: Patch::Clear, ..UserPatch::default() };
                on.users().update(ada, &patch, version, false, now()).await.unwrap();
            }
        }
    }
}

/// What a write costs without a note and with one.
struct Costs {
    storage: Arc<dyn Storage>,
    proxy: Proxy,
    ada: UserId,
    turn: i64,
}

impl Costs {
    async fn of(&mut self, write: Write) -> (f64, f64) {
        let Self { storage, proxy, ada, turn } = self;
        let plain = proxy.cost(async || {
            *turn += 1;
            write.run(&**storage, *ada, *turn).await;
        });
        let plain = plain.await.trips;
        let noted = proxy.cost(async || {
            *turn += 1;
            let note = InvalidationNote { id: *turn, targets: "a".into() };
            write.run(&*storage.noting(&note), *ada, *turn).await;
        });
        (plain, noted.await.trips)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_costs_no_round_trip() {
    let schema = postgres_schema().await;
    let proxy = Proxy::before(&schema.url()).await;
    let storage: Arc<dyn Storage> =
        Arc::new(harness::postgres_at(proxy.url(), harness::options()).await);
    let ada = storage.users().create(&user("ada"), now()).await.unwrap().id;
    storage.points().award(&award(ada, 1_000_000), now()).await.unwrap();
    let mut costs = Costs { storage, proxy, ada, turn: 0 };
    for write in Write::STATEMENTS {
        assert_eq!(costs.of(write).await, (1.0, 1.0), "{write:?}");
    }
    for write in Write::TRANSACTIONS {
        let (plain, noted) = costs.of(write).await;
        assert_eq!(plain, noted, "{write:?}");
    }
}

/// Services on a server behind a proxy.
struct Counted {
    ground: Ground,
    proxy: Proxy,
    schema: TestSchema,
}

/// Members who do the same thing, one after the other, as [`Proxy::cost`] calls for.
const MEMBERS: usize = 120;

impl Counted {
    async fn with(outbox: Outbox) -> Self {
        let schema = postgres_schema().await;
        let proxy = Proxy::before(&schema.url()).await;
        let storage = harness::postgres_at(proxy.url(), harness::options()).await;
        let storage: Arc<dyn Storage> = Arc::new(storage);
        Self { ground: Ground::with(&storage, outbox), proxy, schema }
    }

    /// The tables in which the transactions of an act left rows, in order.
    async fn written_by(&self, act: impl AsyncFnOnce()) -> Vec<String> {
        let client = harness::connect(&self.schema.url()).await;
        let before: i64 = client.query_one("SELECT txid_current()", &[]).await.unwrap().get(0);
        act().await;
        let tables = "SELECT table_name::text FROM information_schema.tables \
                      WHERE table_schema = current_schema() ORDER BY 1";
        let mut written = Vec::new();
        for table in client.query(tables, &[]).await.unwrap() {
            let table: String = table.get(0);
            let wrote =
                format!("SELECT EXISTS (SELECT FROM {table} WHERE xmin::text::bigint > $1)");
            if client.query_one(&wrote, &[&before]).await.unwrap().get(0) {
                written.push(table);
            }
        }
        written
    }

    /// What an act of a member costs, each done by another one, and which tables it writes.
    async fn act(&self, act: impl AsyncFn(UserId)) -> (Cost, Vec<String>) {
        let mut members = self.ground.members(MEMBERS).await.into_iter();
        let cost = self.proxy.cost(async || act(members.next().unwrap()).await).await;
        let last = self.ground.member("last").await;
        let written = self.written_by(async || act(last).await).await;
        (cost, written)
    }
}

/// An action completes a mission, which pays and so unlocks an achievement: two round trips for each
/// table that is written are enough, with the events in the outbox or without, and whether or not the
/// achievement pays as well.
#[tokio::test] // On one thread, what is sent together leaves together.
async fn a_completed_mission_costs_two_round_trips_a_table() {
    for (outbox, pays) in
        [(Outbox::off(), 0), (Outbox::on(), 0), (Outbox::off(), 7), (Outbox::on(), 7)]
    {
        let with_outbox = outbox.is_on();
        let counted = Counted::with(outbox).await;
        let ground = &counted.ground;
        ground.mission(errand("dig", "dig", 1, 5)).await;
        ground.achievement(earned("digger", "missions", 1, pays)).await;
        let (cost, written) = counted
            .act(async |user| {
                let (kind, dig) = (ObjectiveKind::Action, slug("dig"));
                let done = ground.missions.record_action(user, kind, &dig, 1, None).await.unwrap();
                assert!(done.value.effects.missions[0].completed);
                assert_eq!(done.value.effects.achievements, [slug("digger")]);
            })
            .await;
        let mut expected = vec![
            "point_accounts",
            "point_entries",
            "reward_log",
            "user_achievements",
            "user_counters",
            "user_missions",
            "user_objective_progress",
        ];
        if with_outbox {
            expected.insert(0, "outbox");
        }
        assert_eq!(written, expected);
        println!("outbox {with_outbox}, the achievement pays {pays}: {cost}");
        let most = 2.0 * written.len() as f64;
        assert!(cost.trips <= most, "outbox {with_outbox}, pays {pays}: {cost}, {written:?}");
    }
}

/// However much the member has in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_profile_is_a_fixed_number_of_statements() {
    use guildhall_domain::InterestLevel;
    use guildhall_testkit::builder::{badge, badge_award, external, language, topic};
    let counted = Counted::with(Outbox::off()).await;
    let ground = &counted.ground;
    let (empty, full) = (ground.member("empty").await, ground.member("full").await);
    for (n, tag) in ["de", "en", "he", "pt-BR", "zh-Hant"].into_iter().enumerate() {
        let storage = &ground.storage;
        storage.languages().add(full, &language(tag), None, false, now()).await.unwrap();
        let topic = topic(&format!("topic {n}"));
        let category = storage.interests().create_category(&topic).await.unwrap().id;
        storage.interests().add(full, category, InterestLevel::default(), now()).await.unwrap();
        let external = external(&format!("other:p{n}"), "1");
        storage.users().link_external(full, &external, now()).await.unwrap();
        let badge = storage.badges().create(&badge(&format!("badge {n}")), now()).await.unwrap();
        storage.badges().give(&badge_award(full, badge.id), now()).await.unwrap();
    }
    let mut costs = Vec::new();
    for user in [empty, full] {
        let cost = counted.proxy.cost(async || {
            let profile = ground.storage.profiles().full_profile(user).await.unwrap();
            let lists = [profile.languages.len(), profile.interests.len(), profile.badges.len()];
            assert_eq!(lists, if user == full { [5; 3] } else { [0; 3] });
        });
        costs.push(cost.await);
    }
    println!("full_profile: {} and {}", costs[0], costs[1]);
    assert_eq!(costs[0].statements, costs[1].statements);
    assert!(costs[1].statements <= 8.0, "{}", costs[1]);
}

/// One look at the rules, whatever the member holds of 500.
#[tokio::test] // On one thread, what is sent together leaves together.
async fn five_hundred_definitions_are_one_query() {
    let counted = Counted::with(Outbox::off()).await;
    let ground = &counted.ground;
    let definitions: Vec<_> =
        (1..=500).map(|n| earned(&format!("rich{n:03}"), "points_earned", 100 * n, 0)).collect();
    ground.storage.achievements().seed(&definitions, now()).await.unwrap();
    let mut costs = Vec::new();
    for held in [0, 250, 499] {
        let member = ground.member(&format!("holds{held}")).await;
        if held > 0 {
            ground.storage.points().award(&award(member, held), now()).await.unwrap();
            let first = ground.achievements.evaluate(member).await.unwrap();
            assert_eq!(first.value.effects.achievements.len(), usize::try_from(held).unwrap());
        }
        let cost = counted.proxy.cost(async || {
            assert!(ground.achievements.evaluate(member).await.unwrap().replayed);
        });
        costs.push(cost.await);
    }
    println!("evaluate: {}, {}, {}", costs[0], costs[1], costs[2]);
    let figures = |cost: &Cost| (cost.statements, cost.trips);
    assert!(costs.iter().all(|cost| figures(cost) == figures(&costs[0])));
    // The lock, what rules look at (twice), achievements and badges, between begin and commit.
    assert_eq!(costs[0].statements, 7.0, "{}", costs[0]);
}
