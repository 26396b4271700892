//! The calls of a worker, as an application makes them.

use std::future::Future;
use std::pin::Pin;

use fastrand::Rng;
use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{
    Amount, Award, Deduct, IdemKey, Patch, PointAccount, Source, Transfer, User, UserId, UserPatch,
};
use guildhall_adapter::repository::{EntryFilter, PageRequest, StorageError, UnitOfWork};

use super::{absent, name_of, op_of, username};
use crate::history::{Aspect, State, Subject};

/// A read of an account.
pub(super) type AccountCall<'a> =
    Pin<Box<dyn Future<Output = Result<Option<PointAccount>, StorageError>> + Send + 'a>>;

/// The versions that a write committed; `None` when it was rolled back as planned.
pub(super) type Versions = Option<Vec<(Subject, i64)>>;

/// One of them.
pub(super) fn one(members: &[UserId], rng: &mut Rng) -> UserId {
    members[rng.usize(..members.len())]
}

fn account(member: UserId) -> Subject {
    Subject { member: member.0, aspect: Aspect::Account }
}

fn profile(member: UserId) -> Subject {
    Subject { member: member.0, aspect: Aspect::Profile }
}

/// What a read of an account gave.
pub(crate) fn account_state(member: UserId, found: Option<&PointAccount>) -> State {
    found.map_or(absent(account(member)), |found| State {
        subject: account(member),
        version: found.parts().next_seq,
        value: found.balance().minor(),
    })
}

/// What a read of a member gave.
pub(crate) fn profile_state(member: UserId, found: Option<&User>) -> State {
    found.map_or(absent(profile(member)), |user| State {
        subject: profile(user.id),
        version: user.version,
        value: op_of(user.display_name.as_ref().map(|name| name.as_str())),
    })
}

/// Some cached read.
pub(super) async fn read(
    guildhall: &Guildhall,
    members: &[UserId],
    rng: &mut Rng,
) -> Result<Vec<State>, StorageError> {
    let index = rng.usize(..members.len());
    let member = members[index];
    match rng.u32(..100) {
        0..40 => {
            let found = guildhall.points().account(member).await?;
            Ok(vec![account_state(member, found.as_ref())])
        }
        40..62 => {
            let found = guildhall.users().by_id(member).await?;
            Ok(vec![profile_state(member, found.as_ref())])
        }
        62..75 => {
            let wanted: Vec<_> = (0..rng.usize(1..8)).map(|_| one(members, rng)).collect();
            let found = guildhall.users().by_ids(&wanted).await?;
            Ok(found.iter().map(|user| profile_state(user.id, Some(user))).collect())
        }
        75..90 => {
            let page = PageRequest::first(5)?;
            let page =
                guildhall.ledger().transactions(member, &EntryFilter::default(), &page).await?;
            let newest = page.items.first().map(|entry| State {
                subject: account(member),
                version: entry.seq + 1,
                value: entry.balance_after.minor(),
            });
            Ok(vec![newest.unwrap_or(absent(account(member)))])
        }
        _ => {
            let found = guildhall.users().by_username(&username(index)?).await?;
            Ok(vec![profile_state(member, found.as_ref())])
        }
    }
}

/// A write to be made.
#[derive(Debug)]
pub(super) struct Plan {
    op: i64,
    member: UserId,
    other: UserId,
    minor: i64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Award,
    Deduct,
    Transfer,
    Rename,
    Unit(Fate),
}

/// How a unit of work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Commit,
    RollBack,
    Drop,
}

impl Plan {
    /// Draws one for write `op`.
    pub(super) fn draw(op: i64, members: &[UserId], rng: &mut Rng) -> Self {
        let kind = match rng.u32(..1_000) {
            0..300 => Kind::Award,
            300..450 => Kind::Deduct,
            450..550 => Kind::Transfer,
            550..750 => Kind::Rename,
            750..900 => Kind::Unit(Fate::Commit),
            900..997 => Kind::Unit(Fate::RollBack),
            // Its caller does not say how it ended, so its tags are not cached for some seconds.
            _ => Kind::Unit(Fate::Drop),
        };
        let (member, other) = (one(members, rng), one(members, rng));
        Self { op, member, other, minor: rng.i64(1..100_000), kind }
    }

    /// What it is, for messages.
    pub(super) const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Award => "award",
            Kind::Deduct => "deduct",
            Kind::Transfer => "transfer",
            Kind::Rename => "update",
            Kind::Unit(_) => "unit of work",
        }
    }

    /// Makes it.
    pub(super) async fn run(&self, guildhall: &Guildhall) -> Result<Versions, StorageError> {
        let now = guildhall.clock().now();
        let amount = Amount::from_minor(self.minor)?;
        let points = guildhall.points();
        match self.kind {
            Kind::Transfer if self.member != self.other => {
                let transfer = Transfer::new(self.member, self.other, amount)?.key(self.key(0)?);
                let pair = points.transfer(&transfer, now).await?.value;
                Ok(Some(vec![
                    (account(self.member), pair.sent.seq + 1),
                    (account(self.other), pair.received.seq + 1),
                ]))
            }
            Kind::Award | Kind::Transfer => {
                let award = Award::new(self.member, amount, source()?).key(self.key(0)?);
                let entry = points.award(&award, now).await?.value;
                Ok(Some(vec![(account(self.member), entry.seq + 1)]))
            }
            Kind::Deduct => {
                let deduct = Deduct::new(self.member, amount, source()?).key(self.key(0)?);
                let entry = points.deduct(&deduct, now).await?.value;
                Ok(Some(vec![(account(self.member), entry.seq + 1)]))
            }
            Kind::Rename => {
                // As an application does: what it saw decides, and the version says if it is old.
                let Some(seen) = guildhall.users().by_id(self.member).await? else {
                    return Ok(None);
                };
                let users = guildhall.users();
                let renamed =
                    users.update(self.member, &self.patch()?, seen.version, false, now).await?;
                Ok(Some(vec![(profile(self.member), renamed.version)]))
            }
            Kind::Unit(fate) => {
                let work = guildhall.storage().begin().await?;
                match (self.in_unit(&*work, guildhall).await, fate) {
                    (Ok(versions), Fate::Commit) => {
                        work.commit().await?;
                        Ok(Some(versions))
                    }
                    (Ok(_), Fate::RollBack) => {
                        work.rollback().await?;
                        Ok(None)
                    }
                    (Ok(_), Fate::Drop) => Ok(None),
                    (Err(error), _) => {
                        work.rollback().await?;
                        Err(error)
                    }
                }
            }
        }
    }

    /// Two awards and a new name, in one unit.
    async fn in_unit(
        &self,
        work: &dyn UnitOfWork,
        guildhall: &Guildhall,
    ) -> Result<Vec<(Subject, i64)>, StorageError> {
        let now = guildhall.clock().now();
        let amount = Amount::from_minor(self.minor)?;
        let mut version = 0;
        for part in 0..2 {
            let award = Award::new(self.member, amount, source()?).key(self.key(part)?);
            version = work.points().award(&award, now).await?.value.seq + 1;
        }
        let mut versions = vec![(account(self.member), version)];
        if let Some(seen) = work.users().by_id(self.member).await? {
            let renamed =
                work.users().update(self.member, &self.patch()?, seen.version, false, now).await?;
            versions.push((profile(self.member), renamed.version));
        }
        Ok(versions)
    }

    fn patch(&self) -> Result<UserPatch, StorageError> {
        Ok(UserPatch { display_name: Patch::Set(name_of(self.op)?), ..UserPatch::default() })
    }

    fn key(&self, part: u32) -> Result<IdemKey, StorageError> {
        Ok(IdemKey::parse(&format!("soak-{}-{part}", self.op))?)
    }
}

fn source() -> Result<Source, StorageError> {
    Ok(Source::parse("soak")?)
}
