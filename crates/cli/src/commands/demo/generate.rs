//! Making the community up: members first, then a month of their doings.

use std::time::{Duration, Instant};

use fastrand::Rng;
use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{
    Amount, Award, EntryReference, Nickname, Source, UserId, Violation,
};
use guildhall_adapter::repository::BulkMode;

use super::people::person;
use crate::args::DemoArgs;
use crate::error::CliError;
use crate::progress::Progress;

/// Members and awards written together.
const BATCH: usize = 1_000;
/// Nicknames remembered, at most.
const NICKNAMES_MAX: usize = 1_000;
/// Awards a member, on average.
const AWARDS: usize = 4;
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// What members earn for, and how much at least and at most.
const DOINGS: &[(&str, i64, i64)] = &[
    ("message", 1, 1),
    ("message", 1, 1),
    ("message", 1, 1),
    ("comment", 2, 2),
    ("poll", 2, 2),
    ("post", 5, 5),
    ("quiz", 3, 20),
    ("event", 10, 40),
    ("invite", 25, 50),
];

/// A made-up community.
pub(crate) struct Community {
    pub(crate) members: Vec<UserId>,
    /// Some names that members have on Discord.
    pub(crate) nicknames: Vec<Nickname>,
    pub(crate) zipf: Zipf,
    pub(crate) entries: u64,
    pub(crate) took: Duration,
}

/// Few do much, many do little: the n-th busiest does 1/n of what the busiest does.
#[derive(Clone)]
pub(crate) struct Zipf(Vec<f64>);

impl Zipf {
    pub(crate) fn new(count: usize) -> Self {
        let weights = (1..=count).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Self(weights.collect())
    }

    /// An index, small ones more often.
    pub(crate) fn pick(&self, rng: &mut Rng) -> usize {
        let Some(total) = self.0.last() else { return 0 };
        let point = rng.f64() * total;
        self.0.partition_point(|sum| *sum < point).min(self.0.len() - 1)
    }
}

pub(crate) async fn generate(
    guildhall: &Guildhall,
    args: &DemoArgs,
) -> Result<Community, CliError> {
    let began = Instant::now();
    let mut rng = Rng::with_seed(args.seed);
    let (mut members, nicknames) = register(guildhall, args.members, &mut rng).await?;
    // Who came first is not who does most.
    rng.shuffle(&mut members);
    let zipf = Zipf::new(members.len());
    let entries = doings(guildhall, &members, &zipf, &mut rng).await?;
    Ok(Community { members, nicknames, zipf, entries, took: began.elapsed() })
}

async fn register(
    guildhall: &Guildhall,
    count: u32,
    rng: &mut Rng,
) -> Result<(Vec<UserId>, Vec<Nickname>), CliError> {
    let start = guildhall.clock().now().minus(MONTH);
    let mut progress = Progress::new("making up members", Some(count.into()));
    let mut members = Vec::with_capacity(count as usize);
    let mut nicknames = Vec::new();
    for first in (0..count).step_by(BATCH) {
        let numbers = first..count.min(first + BATCH as u32);
        let people: Result<Vec<_>, Violation> = numbers.map(|number| person(rng, number)).collect();
        let people = people?;
        let created = guildhall.users().create_batch(&people, start).await?;
        let elsewhere = people.into_iter().flat_map(|person| person.externals);
        nicknames.extend(elsewhere.filter_map(|external| external.nickname));
        nicknames.truncate(NICKNAMES_MAX);
        members.extend(created.iter().map(|user| user.id));
        progress.at(members.len() as u64);
    }
    Ok((members, nicknames))
}

/// A month of earning, in order. How many entries were written.
async fn doings(
    guildhall: &Guildhall,
    members: &[UserId],
    zipf: &Zipf,
    rng: &mut Rng,
) -> Result<u64, CliError> {
    let total = members.len() * AWARDS;
    let start = guildhall.clock().now().minus(MONTH);
    let mut progress = Progress::new("a month goes by", Some(total as u64));
    let mut written = 0;
    while written < total {
        let count = BATCH.min(total - written);
        let awards: Result<Vec<Award>, Violation> = (written..written + count)
            .map(|number| {
                // Everybody once, to have a ledger at all; then as it comes.
                let index = if number < members.len() { number } else { zipf.pick(rng) };
                let (source, least, most) = DOINGS[rng.usize(..DOINGS.len())];
                let amount = Amount::whole(rng.i64(least..=most))?;
                let award = Award::new(members[index], amount, Source::parse(source)?);
                Ok(award.reference(EntryReference::parse(&format!("{source}-{number}"))?))
            })
            .collect();
        let passed = MONTH.mul_f64(written as f64 / total as f64);
        let points = guildhall.points();
        points.award_bulk(&awards?, BulkMode::Atomic, start.plus(passed)).await?;
        written += count;
        progress.at(written as u64);
    }
    Ok(written as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_do_most() {
        let (zipf, mut rng) = (Zipf::new(1_000), Rng::with_seed(1));
        let mut counts = vec![0_u32; 1_000];
        (0..100_000).for_each(|_| counts[zipf.pick(&mut rng)] += 1);
        assert!(counts[0] > 10_000 && counts[0] > 5 * counts[9], "{}, {}", counts[0], counts[9]);
        assert!(counts[500..].iter().sum::<u32>() > 5_000);
    }
}
