//! Some members play: what they did, what it set off, and one member's way step by step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{DomainEvent, Fragment, Outcome, Points, StoreItemId, UserId};
use guildhall_adapter::repository::{ErrorKind, StorageError};
use guildhall_adapter::service::{Done, Effects, Pick};
use serde::Serialize;
use tokio::task::JoinSet;

use super::generate::Community;
use crate::args::DemoArgs;
use crate::commands::effects::told;
use crate::error::CliError;
use crate::output::{grouped, plain, right, short, table};
use crate::progress::Progress;

/// How many play, at most: each act is a unit of work of its own.
const PLAYERS: usize = 40;
/// How many play at a time, at most.
const TABLES: u32 = 8;
/// More decisions than the story has.
const DECISIONS_MAX: usize = 10;

/// What came of playing.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) took: Duration,
    pub(crate) players: u64,
    pub(crate) failed: u64,
    pub(crate) failure: Option<StorageError>,
    pub(crate) journey: Option<Journey>,
    acts: u64,
    refused: u64,
    points: i64,
    facts: BTreeMap<&'static str, u64>,
}

/// `play` of `demo`.
#[derive(Serialize)]
pub(crate) struct Told {
    players: u64,
    acts: u64,
    took_ms: u64,
    missions_completed: u64,
    decisions: u64,
    achievements: u64,
    badges: u64,
    lore: u64,
    purchases: u64,
    points: String,
    refused: u64,
    failed: u64,
}

/// One member's way.
pub(crate) struct Journey {
    pub(crate) user: UserId,
    pub(crate) steps: Vec<Step>,
}

/// One act: how the balance changed by it and what it is then, and what the act set off.
#[derive(Serialize)]
pub(crate) struct Step {
    act: String,
    points: String,
    balance: String,
    set_off: Vec<String>,
}

/// Lets the busiest members play, each by a generator of its own.
pub(crate) async fn run(
    guildhall: &Guildhall,
    community: &Community,
    items: Vec<StoreItemId>,
    args: &DemoArgs,
) -> Result<Played, CliError> {
    let began = Instant::now();
    let players: Vec<UserId> = community.members.iter().copied().take(PLAYERS).collect();
    let total = players.len() as u64;
    let (players, items): (Arc<[UserId]>, Arc<[StoreItemId]>) = (players.into(), items.into());
    let tables = args.tasks.min(TABLES) as usize;
    let mut tasks = JoinSet::new();
    for first in 0..tables {
        let (guildhall, players) = (guildhall.clone(), Arc::clone(&players));
        let (items, seed) = (Arc::clone(&items), args.seed);
        tasks.spawn(async move {
            let mut all = Vec::new();
            for number in (first..players.len()).step_by(tables) {
                let rng = Rng::with_seed(seed.wrapping_add(1_000_000 + number as u64));
                let mut player = Player::new(&guildhall, players[number], rng);
                player.play(&items).await;
                all.push((number, player.played));
            }
            all
        });
    }
    let mut progress = Progress::new("some play", Some(total));
    let mut all = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        let ended = ended
            .map_err(|error| CliError::failed("internal", format!("a task broke off: {error}")))?;
        all.extend(ended);
        progress.at(all.len() as u64);
    }
    all.sort_by_key(|(number, _)| *number);
    let mut played = Played { players: total, ..Played::default() };
    all.into_iter().for_each(|(_, one)| played.add(one));
    played.took = began.elapsed();
    Ok(played)
}

/// A member at play.
struct Player<'g> {
    guildhall: &'g Guildhall,
    user: UserId,
    rng: Rng,
    played: Played,
    balance: Points,
}

impl<'g> Player<'g> {
    fn new(guildhall: &'g Guildhall, user: UserId, rng: Rng) -> Self {
        let journey = Some(Journey { user, steps: Vec::new() });
        let played = Played { journey, ..Played::default() };
        Self { guildhall, user, rng, played, balance: Points::ZERO }
    }

    /// Says hello twice, checks in, goes through the story, and buys something.
    async fn play(&mut self, items: &[StoreItemId]) {
        let (on, user) = (self.guildhall, self.user);
        match on.uncached().points().balance(user).await {
            Ok(balance) => self.balance = balance,
            Err(error) => return self.note_failure(error),
        }
        for _ in 0..2 {
            let outcome = on.activities().record_message(user).await;
            self.note("wrote a message", outcome).await;
        }
        let outcome = on.activities().check_in(user).await;
        self.note("checked in", outcome).await;
        let outcome = on.stories().start(user).await;
        let mut here = self.note("began the story", outcome).await;
        for _ in 0..DECISIONS_MAX {
            let Some(fragment) = here.take() else { break };
            if fragment.choices.iter().any(|choice| choice.is_active) {
                here = self.choose(&fragment).await;
            } else {
                let outcome = on.stories().complete(user, &fragment.id).await;
                self.note(&format!("came to an end: {}", fragment.title), outcome).await;
            }
        }
        if let Some(item) = self.rng.choice(items) {
            let outcome = on.store().purchase(user, *item, None).await;
            let act = match &outcome {
                Ok(bought) => format!("bought in the store: {}", bought.value.value.title),
                Err(_) => "wanted to buy something".to_owned(),
            };
            self.note(&act, outcome).await;
        }
    }

    /// Decides at a fragment and gives where that leads; `None` when it was refused.
    async fn choose(&mut self, here: &Fragment) -> Option<Fragment> {
        let open: Vec<_> = here.choices.iter().filter(|choice| choice.is_active).collect();
        let choice = *self.rng.choice(&open)?;
        let stories = self.guildhall.stories();
        let outcome = stories.decide(self.user, &here.id, Pick::Id(choice.id), None).await;
        let act = format!("{}: {}", here.title, choice.text);
        self.note(&act, outcome).await.map(|decided| decided.next)
    }

    /// Counts an act and writes it down. What rules refuse belongs to life.
    async fn note<T>(
        &mut self,
        act: &str,
        outcome: Result<Outcome<Done<T>>, StorageError>,
    ) -> Option<T> {
        self.played.acts += 1;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) if is_refusal(&error) => {
                self.played.refused += 1;
                self.step(format!("{act} (refused)"), vec![error.to_string()]).await;
                return None;
            }
            Err(error) => {
                self.note_failure(error);
                return None;
            }
        };
        let Done { value, effects } = outcome.value;
        self.count(&effects, &outcome.events);
        self.step(act.to_owned(), told(&effects, &outcome.events)).await;
        Some(value)
    }

    async fn step(&mut self, act: String, set_off: Vec<String>) {
        // Read anew: a price is no effect, and others may send points meanwhile.
        let balance = match self.guildhall.uncached().points().balance(self.user).await {
            Ok(balance) => balance,
            Err(error) => return self.note_failure(error),
        };
        let gained = balance.minus(self.balance).unwrap_or(Points::ZERO);
        let points = match gained.minor() {
            0 => String::new(),
            1.. => format!("+{gained}"),
            _ => gained.to_string(),
        };
        self.balance = balance;
        let step = Step { act, points, balance: balance.to_string(), set_off };
        if let Some(journey) = &mut self.played.journey {
            journey.steps.push(step);
        }
    }

    fn count(&mut self, effects: &Effects, events: &[DomainEvent]) {
        self.played.points += effects.points.minor();
        for event in events {
            let fact = match event {
                DomainEvent::MissionCompleted { .. } => "mission",
                DomainEvent::DecisionMade { .. } => "decision",
                DomainEvent::AchievementUnlocked { .. } => "achievement",
                DomainEvent::BadgeAwarded { .. } => "badge",
                DomainEvent::LoreUnlocked { .. } => "lore",
                DomainEvent::ItemPurchased { .. } => "purchase",
                _ => continue,
            };
            *self.played.facts.entry(fact).or_default() += 1;
        }
    }

    fn note_failure(&mut self, error: StorageError) {
        self.played.failed += 1;
        self.played.failure.get_or_insert(error);
    }
}

fn is_refusal(error: &StorageError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InsufficientBalance
            | ErrorKind::LimitExceeded
            | ErrorKind::AccessDenied
            | ErrorKind::InvalidState
            | ErrorKind::Contention
    )
}

impl Played {
    fn add(&mut self, other: Self) {
        self.acts += other.acts;
        self.refused += other.refused;
        self.failed += other.failed;
        self.points += other.points;
        self.failure = self.failure.take().or(other.failure);
        for (fact, count) in other.facts {
            *self.facts.entry(fact).or_default() += count;
        }
        // The way on which most happened is the one that is shown; of equals the first.
        let eventful = |journey: &Option<Journey>| {
            let steps = journey.as_ref().map(|journey| journey.steps.as_slice());
            steps.unwrap_or_default().iter().map(|step| 1 + step.set_off.len()).sum::<usize>()
        };
        if eventful(&other.journey) > eventful(&self.journey) {
            self.journey = other.journey;
        }
    }

    fn fact(&self, name: &str) -> u64 {
        self.facts.get(name).copied().unwrap_or_default()
    }

    pub(crate) fn to_json(&self) -> Told {
        Told {
            players: self.players,
            acts: self.acts,
            took_ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            missions_completed: self.fact("mission"),
            decisions: self.fact("decision"),
            achievements: self.fact("achievement"),
            badges: self.fact("badge"),
            lore: self.fact("lore"),
            purchases: self.fact("purchase"),
            points: Points::from_minor(self.points).unwrap_or(Points::ZERO).to_string(),
            refused: self.refused,
            failed: self.failed,
        }
    }

    /// In one sentence.
    pub(crate) fn render(&self) -> String {
        let told = self.to_json();
        format!(
            "{} of them played for {}: {} acts completed {} missions, made {} decisions, unlocked \
             {} achievements and {} badges, found {} pieces of lore, bought {} things; {} were \
             refused by a rule.",
            grouped(told.players),
            short(self.took),
            grouped(told.acts),
            grouped(told.missions_completed),
            grouped(told.decisions),
            grouped(told.achievements),
            grouped(told.badges),
            grouped(told.lore),
            grouped(told.purchases),
            grouped(told.refused),
        )
    }
}

impl Journey {
    /// As a timeline.
    pub(crate) fn render(&self) -> String {
        let mut rows = table(&["", "did", "points", "balance", "and so"]);
        for (number, step) in (1..).zip(&self.steps) {
            rows.add_row([
                format!("{number}"),
                plain(&step.act),
                step.points.clone(),
                step.balance.clone(),
                step.set_off.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n"),
            ]);
        }
        right(&mut rows, &[0, 2, 3]);
        rows.to_string()
    }
}
