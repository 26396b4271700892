//! Verifying: both sides compared, and the ledgers that were written audited.

use guildhall_domain::{LedgerReport, UserId};
use guildhall_repository::{ImportRun, ListLimit};

use super::Importer;
use super::tally::Touched;
use crate::error::ImportError;
use crate::report::{ImportReport, LISTED_MAX, LedgerAudit, Phase, Progress};

impl Importer {
    /// Compares what the source holds with what carries the tag of the import.
    pub(super) async fn compare(
        &self,
        run: &ImportRun,
        report: &mut ImportReport,
    ) -> Result<(), ImportError> {
        let rows = self.storage.imports().rows(run.id).await?;
        let totals = &mut report.totals;
        totals.members_target = rows.members + rows.merged;
        totals.entries_target = rows.entries;
        totals.target_balance = rows.balance.into();
        let entries = totals.entries_source..=totals.entries_source + totals.entries_added;
        report.matches = totals.members_target == totals.members_source
            && totals.target_balance == totals.source_balance
            && entries.contains(&totals.entries_target);
        Ok(())
    }

    /// Audits the ledgers of the members touched: each, if they are few, else the range of their
    /// ids. `all` when some of them are not known.
    pub(super) async fn audit(
        &self,
        touched: &Touched,
        all: bool,
        report: &ImportReport,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<LedgerAudit, ImportError> {
        let ledger = self.storage.ledger();
        let total = Some(report.totals.members_target);
        let mut audit = LedgerAudit::default();
        progress(Progress { phase: Phase::Verify, done: 0, total });
        if let (Some(few), false) = (&touched.few, all) {
            for user in few {
                audit.add(&ledger.verify(*user).await?);
            }
            progress(Progress { phase: Phase::Verify, done: audit.members, total });
            return Ok(audit);
        }
        let limit = ListLimit::new(ListLimit::MAX).unwrap_or_default();
        let last = if all { None } else { touched.last };
        let mut after = touched.first.filter(|_| !all).map(|first| UserId(first.0 - 1));
        loop {
            let page = ledger.verify_page(after, limit).await?;
            audit.add(&page);
            progress(Progress { phase: Phase::Verify, done: audit.members, total });
            // A page that does not lead on would be read for ever.
            let next = page.next.filter(|next| after.is_none_or(|after| *next > after));
            match (next, last) {
                (None, _) => return Ok(audit),
                (Some(next), Some(last)) if next >= last => return Ok(audit),
                (next, _) => after = next,
            }
        }
    }
}

impl LedgerAudit {
    fn add(&mut self, page: &LedgerReport) {
        self.members += page.members;
        self.entries += page.entries;
        self.breaks_total += page.breaks.len() as u64;
        let room = LISTED_MAX.saturating_sub(self.breaks.len());
        let sentences =
            page.breaks.iter().take(room).map(|found| {
                format!("member {} breaks {}: {}", found.user, found.rule, found.detail)
            });
        self.breaks.extend(sentences);
    }
}
