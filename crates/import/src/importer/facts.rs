//! Writing what members did elsewhere. Nothing is paid for it: it was paid there.

mod story;

use std::collections::HashMap;
use std::sync::Arc;

use guildhall_domain::{
    Advance, BadgeAward, CommunityZone, MissionCadence, MissionPeriod, Objective, Points, Slug,
    Source, SystemRandom, Timestamp, Unlock, UserId,
};
use guildhall_repository::{
    LentUnit, MemberImport, NewUserLore, RetryPolicy, StorageError, in_unit,
};

use super::Importer;
use super::catalogue::{Held, Known};
use super::rows::{Rows, refusal};
use crate::error::ImportError;
use crate::facts::{Deed, Fact, LoreKey};

/// Facts of one transaction.
const CHUNK: usize = 500;
/// Members locked by one call.
const LOCKED: usize = 100;

/// What became of a fact.
pub(super) struct Fate {
    written: bool,
    warnings: Vec<String>,
}

impl Fate {
    const fn new(written: bool) -> Self {
        Self { written, warnings: Vec::new() }
    }
}

impl Importer {
    /// Writes the facts of a batch of members, each fact once, however often it is tried. Facts of
    /// members whom an earlier complete run brought are left alone: things may have been taken
    /// away here since.
    pub(super) async fn write_facts(
        &self,
        held: &Held<'_>,
        known: &Arc<Known>,
        facts: Vec<Vec<Fact>>,
        outcomes: &[MemberImport],
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        let mut deeds: Vec<(UserId, Fact)> = Vec::new();
        for (facts, outcome) in facts.into_iter().zip(outcomes) {
            let user = match outcome {
                MemberImport::Written { user, .. } => Some(*user),
                MemberImport::Unchanged { user, .. } => Some(*user).filter(|_| !held.finished),
                MemberImport::Skipped { .. } => None,
            };
            for fact in facts {
                rows.touch(fact.table);
                match (user, outcome) {
                    (Some(user), _) => deeds.push((user, fact)),
                    (None, MemberImport::Skipped { .. }) => {
                        rows.skip(fact.table, &fact.key, "its member was not imported");
                    }
                    (None, _) => {}
                }
            }
        }
        // Ascending, like everybody who locks several members; a member's facts keep their order.
        deeds.sort_by_key(|(user, _)| *user);
        for chunk in deeds.chunks(CHUNK) {
            let chunk: Arc<[(UserId, Fact)]> = chunk.into();
            let fates = in_unit(&*self.storage, RetryPolicy::default(), &SystemRandom, |work| {
                let (known, chunk) = (Arc::clone(known), Arc::clone(&chunk));
                async move { write_all(&work, &known, &chunk, self.zone()).await }
            })
            .await?;
            for ((_, fact), fate) in chunk.iter().zip(fates) {
                count(fact, fate, rows);
            }
            self.extend(held).await?;
        }
        Ok(())
    }
}

fn count(fact: &Fact, fate: Result<Fate, String>, rows: &mut Rows) {
    let also: &[&'static str] = match &fact.what {
        Deed::Story(story) => &story.also_in,
        _ => &[],
    };
    let tables = std::iter::once(fact.table).chain(also.iter().copied());
    match fate {
        Ok(fate) => {
            for table in tables {
                rows.written(table, u64::from(fate.written));
            }
            for warning in fate.warnings {
                rows.warn(fact.table, &fact.key, warning);
            }
        }
        Err(reason) => {
            for table in tables {
                rows.skip(table, &fact.key, reason.clone());
            }
        }
    }
}

/// Writes facts one by one, their members locked; one that is refused costs no other.
async fn write_all(
    work: &LentUnit,
    known: &Known,
    facts: &[(UserId, Fact)],
    zone: &CommunityZone,
) -> Result<Vec<Result<Fate, String>>, StorageError> {
    let gone = lock_members(work, facts).await?;
    let mut fates = Vec::with_capacity(facts.len());
    for (user, fact) in facts {
        if let Some(reason) = gone.get(user) {
            fates.push(Err(reason.clone()));
            continue;
        }
        fates.push(match write_one(work, known, *user, fact, zone).await {
            Ok(fate) => fate,
            Err(error) => Err(refusal(error)?),
        });
    }
    Ok(fates)
}

/// Locks the members of the facts, which are in ascending order. Gives those who cannot be locked,
/// as they were deleted since, with the reason.
async fn lock_members(
    work: &LentUnit,
    facts: &[(UserId, Fact)],
) -> Result<HashMap<UserId, String>, StorageError> {
    let mut users: Vec<UserId> = facts.iter().map(|(user, _)| *user).collect();
    users.dedup();
    let mut gone = HashMap::new();
    for users in users.chunks(LOCKED) {
        match work.points().lock(users).await {
            Ok(()) => continue,
            Err(error) => refusal(error)?,
        };
        for user in users {
            if let Err(error) = work.points().lock(&[*user]).await {
                gone.insert(*user, refusal(error)?);
            }
        }
    }
    Ok(gone)
}

/// Writes a fact, or says why it cannot be.
async fn write_one(
    work: &LentUnit,
    known: &Known,
    user: UserId,
    fact: &Fact,
    zone: &CommunityZone,
) -> Result<Result<Fate, String>, StorageError> {
    let at = fact.at.unwrap_or(known.began);
    let absent = |what: &str| Ok(Err(format!("its {what} is not here")));
    let done = |replayed: bool| Ok(Ok(Fate::new(!replayed)));
    match &fact.what {
        Deed::Completed { mission } => {
            let id = Slug::from_legacy(mission);
            let Some(cadence) = known.missions.get(&id) else { return absent("mission") };
            let Some(period) = period(*cadence, fact.at, zone) else {
                return Ok(Err("it has no time, and so no day or week".to_owned()));
            };
            let progress = work.mission_progress();
            done(progress.import_completion(user, &id, period, at).await?.replayed)
        }
        Deed::Progressed { mission, value } => {
            let id = Slug::from_legacy(mission);
            let Some(cadence) = known.missions.get(&id) else { return absent("mission") };
            if *cadence != MissionCadence::OneTime {
                return Ok(Err(
                    "its progress belongs to a day or week that nobody knows".to_owned()
                ));
            }
            let (progress, once) = (work.mission_progress(), MissionPeriod::Once);
            let opened = progress.open_period(user, &id, once, at).await?;
            let value = (*value).min(Objective::VALUE_MAX);
            if !opened.replayed && value > 0 && !opened.value.objectives.is_empty() {
                progress.advance(user, &id, once, 0, Advance::Set(value), at).await?;
            }
            done(opened.replayed)
        }
        Deed::Achieved { achievement, context } => {
            let achievement = Slug::from_legacy(achievement);
            if !known.achievements.contains(&achievement) {
                return absent("achievement");
            }
            let context = context.clone();
            let unlock =
                Unlock { user, achievement, source: source(), points: Points::ZERO, context };
            done(work.user_achievements().unlock(&unlock, at).await?.replayed)
        }
        Deed::Decorated { badge } => {
            let Some(badge) = known.badges.get(badge) else { return absent("badge") };
            if badge.vip.is_some() {
                if work.badges().has(user, badge.id).await? {
                    return done(true);
                }
                let reason = "its badge makes a VIP here, a second time; to be given by hand";
                return Ok(Err(reason.to_owned()));
            }
            let award =
                BadgeAward { user, badge: badge.id, by: None, source: source(), reason: None };
            done(work.badges().give(&award, at).await?.replayed)
        }
        Deed::FoundLore { lore, context } => {
            let found = match lore {
                LoreKey::Row(row) => known.lore_rows.get(row),
                LoreKey::Code(code) => known.lore_codes.get(&Slug::from_legacy(code)),
            };
            let Some(lore) = found.copied() else { return absent("piece of lore") };
            let new = NewUserLore { user, lore, source: source(), context: context.clone() };
            done(work.lore().unlock(&new, at).await?.replayed)
        }
        Deed::Owns { reward } => {
            let Some(item) = known.items.get(reward) else { return absent("reward") };
            match work.store().own(user, item, Points::ZERO, at).await {
                Ok(_) => done(false),
                Err(StorageError::AlreadyExists { .. }) => done(true),
                Err(error) => Err(error),
            }
        }
        Deed::Story(story) => story::write(work, known, user, story).await.map(Ok),
    }
}

/// What brought it.
fn source() -> Source {
    Source::from_legacy("import")
}

/// The period in which something was completed at that time.
fn period(
    cadence: MissionCadence,
    at: Option<Timestamp>,
    zone: &CommunityZone,
) -> Option<MissionPeriod> {
    match (cadence, at) {
        (MissionCadence::OneTime, _) => Some(MissionPeriod::Once),
        (MissionCadence::Repeatable, _) => Some(MissionPeriod::Time(1)),
        (MissionCadence::Daily | MissionCadence::Weekly, at) => {
            at.map(|at| MissionPeriod::current(cadence, zone.day_of(at), 0))
        }
    }
}
