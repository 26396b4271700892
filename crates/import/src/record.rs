//! A member on its way from the reader to the writer, and the batches it travels in.

use guildhall_domain::{CommunityZone, ImportedEntry, ImportedMember, Level, Points, Timestamp};

use crate::catalogue::Catalogue;
use crate::facts::Fact;
use crate::findings::Findings;
use crate::total::PointTotal;

/// Tables whose rows travel with their member, beside the ledger.
pub(crate) const SIDE_TABLES: [&str; 4] =
    ["user_stats", "vip_subscriptions", "vip_transactions", "vip_access"];

/// A member and where the source has it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) member: ImportedMember,
    /// Where a reader goes on after it: what the readers take as `after`.
    pub(crate) position: i64,
    /// How many rows of each of the [`SIDE_TABLES`] are in it.
    pub(crate) side_rows: [u32; 4],
    /// What the member did, to be written once there is a member here.
    pub(crate) facts: Vec<Fact>,
}

/// How a reader reads.
#[derive(Clone, Debug)]
pub(crate) struct ReadOptions {
    /// Of times without offset.
    pub(crate) zone: CommunityZone,
    /// Now, for members whose registration nobody wrote down.
    pub(crate) now: Timestamp,
    /// Whether nobody but the reader will say what does not add up.
    pub(crate) dry_run: bool,
}

/// What a whole pass over the source found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) findings: Findings,
    pub(crate) levels: Vec<Level>,
    pub(crate) catalogue: Catalogue,
    pub(crate) members: u64,
    pub(crate) entries: u64,
    pub(crate) entries_added: u64,
    pub(crate) balance: PointTotal,
}

impl Survey {
    /// Counts a member; whether its ledger needs entries that the source does not have.
    pub(crate) fn count(&mut self, member: &ImportedMember) -> bool {
        let added = additions(&member.entries, member.balance);
        self.members += 1;
        self.entries += member.entries.len() as u64;
        self.entries_added += added;
        self.balance.add(member.balance);
        added > 0 && !member.entries.is_empty()
    }
}

/// How many entries a whole ledger needs beyond these: one where the balance would become
/// negative, and one when the end is not the balance.
fn additions(entries: &[ImportedEntry], balance: Points) -> u64 {
    let (mut sum, mut added) = (0_i128, 0);
    for entry in entries {
        sum += i128::from(entry.amount.minor());
        if sum < 0 {
            (sum, added) = (0, added + 1);
        }
    }
    added + u64::from(sum != i128::from(balance.minor()))
}

/// Members that are written together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    entries: usize,
}

impl Batch {
    /// Adds a member. The batch that is full without it, if so, is to be sent first.
    pub(crate) fn push(&mut self, record: Record, limits: BatchLimits) -> Option<Self> {
        let entries = record.member.entries.len();
        let full = self.records.len() >= limits.members
            || (!self.records.is_empty() && self.entries + entries > limits.entries);
        let sent = full.then(|| std::mem::take(self));
        self.entries += entries;
        self.records.push(record);
        sent
    }
}

/// How large a batch may become. One member with more entries is a batch by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    pub(crate) members: usize,
    pub(crate) entries: usize,
}
