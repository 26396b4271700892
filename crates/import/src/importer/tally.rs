//! Adding up what the storage answers.

use guildhall_domain::UserId;
use guildhall_repository::{MemberImport, MemberWarning};

use super::rows::Rows;
use crate::findings::Findings;
use crate::record::{Record, SIDE_TABLES};
use crate::report::ImportReport;

const LEDGER: &str = "point_transactions";

/// Members up to this many are audited one by one; more are audited as a range.
const FEW: usize = 500;

#[derive(Default)]
struct Outcomes {
    written: u64,
    unchanged: u64,
    merged: u64,
}

/// What became of the members so far.
#[derive(Default)]
pub(super) struct Tally {
    users: Outcomes,
    ledger: Outcomes,
    sides: [Outcomes; 4],
    noted: Findings,
    has_ledger: bool,
    pub(super) facts: Rows,
    pub(super) users_touched: Touched,
}

/// Which members here came out, in bounded memory.
#[derive(Default)]
pub(super) struct Touched {
    pub(super) first: Option<UserId>,
    pub(super) last: Option<UserId>,
    /// All of them, as long as they are few.
    pub(super) few: Option<Vec<UserId>>,
}

impl Touched {
    fn add(&mut self, user: UserId) {
        self.first = Some(self.first.map_or(user, |first| first.min(user)));
        self.last = Some(self.last.map_or(user, |last| last.max(user)));
        if let Some(few) = &mut self.few {
            few.push(user);
            if few.len() > FEW {
                self.few = None;
            }
        }
    }
}

impl Tally {
    pub(super) fn new(report: &ImportReport) -> Self {
        let users_touched = Touched { few: Some(Vec::new()), ..Touched::default() };
        Self { has_ledger: report.table(LEDGER).is_some(), users_touched, ..Self::default() }
    }

    pub(super) fn add(&mut self, rows: &[u32; 4], key: &str, opening: bool, outcome: MemberImport) {
        match outcome {
            MemberImport::Written { user, merged, entries, warnings, .. } => {
                self.users.written += 1;
                self.users.merged += u64::from(merged);
                self.ledger.written += entries;
                for (side, rows) in self.sides.iter_mut().zip(rows) {
                    side.written += u64::from(*rows);
                }
                self.users_touched.add(user);
                // That a ledger which the source does not keep explains nothing is said once.
                let expected = opening && !self.has_ledger;
                for warning in warnings {
                    if !(expected && matches!(warning, MemberWarning::BalanceDiffers { .. })) {
                        self.warn(key, &warning);
                    }
                }
            }
            MemberImport::Unchanged { user, entries, .. } => {
                self.users.unchanged += 1;
                self.ledger.unchanged += entries;
                for (side, rows) in self.sides.iter_mut().zip(rows) {
                    side.unchanged += u64::from(*rows);
                }
                self.users_touched.add(user);
            }
            MemberImport::Skipped { reason } => self.noted.skip("users", key, reason),
        }
    }

    fn warn(&mut self, key: &str, warning: &MemberWarning) {
        let taken = "belongs to somebody else; left out";
        let (field, message) = match warning {
            MemberWarning::UsernameTaken => ("username", taken.to_owned()),
            MemberWarning::EmailTaken => ("email", taken.to_owned()),
            MemberWarning::PhoneTaken => ("phone", taken.to_owned()),
            MemberWarning::BalanceDiffers { difference } => (
                "points",
                format!(
                    "is not the sum of the ledger; an `import` entry of {difference} was added"
                ),
            ),
            MemberWarning::Overdrawn { source_key } => {
                let message = "would make the balance negative; a compensating entry precedes it";
                self.noted.warn(LEDGER, source_key, Some("amount"), message);
                return;
            }
        };
        self.noted.warn("users", key, Some(field), message);
    }

    /// Writes it into the report. Of a resumed run, what earlier ones did is unchanged.
    pub(super) fn report(self, resumed: bool, report: &mut ImportReport) {
        let Self { users, mut ledger, sides, noted, facts, .. } = self;
        // Also counts what went before the checkpoint, which was not read again.
        ledger.unchanged = report.totals.entries_target.saturating_sub(ledger.written);
        let mut findings = Findings {
            tables: std::mem::take(&mut report.tables),
            warnings: std::mem::take(&mut report.warnings),
            warnings_total: report.warnings_total,
            ..Findings::default()
        };
        for skipped in noted.tables.iter().flat_map(|table| &table.skipped) {
            findings.skip("users", &skipped.key, skipped.reason.clone());
        }
        let (skipped, listed) = noted.skipped("users");
        findings.table("users").skipped_total += skipped - listed;
        let tables = [("users", users), (LEDGER, ledger)].into_iter();
        for (name, outcomes) in tables.chain(SIDE_TABLES.into_iter().zip(sides)) {
            if outcomes.written + outcomes.unchanged == 0 && !findings.has(name) {
                continue;
            }
            let table = findings.table(name);
            table.written = outcomes.written;
            table.merged = outcomes.merged;
            let rest = table.read.saturating_sub(table.written + table.skipped_total);
            let earlier = resumed && name != LEDGER;
            table.unchanged = if earlier { rest } else { outcomes.unchanged };
        }
        findings.append_warnings(noted);
        report.tables = findings.tables;
        report.warnings = findings.warnings;
        report.warnings_total = findings.warnings_total;
        facts.report(report);
    }
}

/// What the tally needs of a member once it is handed over.
pub(super) struct Brief {
    rows: [u32; 4],
    key: String,
    opening: bool,
}

impl Brief {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            rows: record.side_rows,
            key: record.member.source_key.clone(),
            opening: record.member.entries.is_empty(),
        }
    }

    pub(super) fn add_to(&self, tally: &mut Tally, outcome: MemberImport) {
        tally.add(&self.rows, &self.key, self.opening, outcome);
    }
}
