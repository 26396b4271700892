//! Indexes that hold all a statement reads of a table.

use super::access::Access;
use super::proposal::Proposal;
use crate::advise::candidate::{Need, Rule};
use crate::advise::refusal::Refusal;
use crate::advise::shape::Target;
use crate::catalog::{IndexKey, KeyPart};
use crate::fingerprint::System;

/// A covering form of a proposal; a reason where only a vacuum is missing.
pub(super) fn propose(access: &Access<'_>, base: &Proposal) -> Result<Option<Proposal>, Refusal> {
    let limits = access.limits;
    let reads = &access.scan.reads;
    if reads.all || base.stops || reads.columns.is_empty() && access.scan.group.is_empty() {
        return Ok(None);
    }
    if base.shape.keys.iter().any(|key| matches!(key.part, KeyPart::Expression(_))) {
        return Ok(None);
    }
    let of_key = |name: &str| base.shape.keys.iter().any(|key| key.column_name() == Some(name));
    let mut missing: Vec<&str> = Vec::new();
    // What is grouped by comes first: then the groups come out sorted.
    let grouped = access.scan.group.iter().filter_map(Target::column);
    for name in grouped.chain(reads.columns.iter().map(String::as_str)) {
        if !of_key(name) && !missing.contains(&name) {
            missing.push(name);
        }
    }
    let widths = missing.iter().map(|name| {
        let stats = access.table.column(name).and_then(|column| column.stats.as_ref());
        stats.map_or(0.0, |stats| stats.avg_width)
    });
    let too_wide = widths.fold(0.0, f64::max) > limits.covering_width_max;
    if too_wide || base.shape.keys.len() + missing.len() > limits.width_max {
        return Ok(None);
    }
    if !base.kept.known
        || base.kept.share > limits.covering_share_max
        || heap_pages(access, base) <= limits.heap_pages_min
    {
        return Ok(None);
    }
    if let (System::Postgres, Some(all_visible)) = (access.system(), access.table.all_visible)
        && all_visible < limits.all_visible_min
    {
        return Err(Refusal::NotVacuumed { all_visible });
    }
    let orderable =
        missing.iter().all(|name| access.key(&Target::Column((*name).to_owned()), None).is_some());
    if !orderable {
        return Ok(None);
    }
    let mut proposal = base.clone();
    proposal.shape.keys.extend(missing.iter().map(|name| IndexKey::column(*name)));
    proposal.covering = true;
    proposal = proposal.by(Rule::Covering);
    if access.system() == System::Postgres {
        proposal = proposal.needing(Need::Vacuum);
    }
    Ok(Some(proposal))
}

/// Pages of the table that a call fetches: of rows strewn evenly as many as there are rows, until
/// all are; of rows that lie together, their share.
fn heap_pages(access: &Access<'_>, base: &Proposal) -> f64 {
    let pages = access.table.pages as f64;
    let rows = access.rows() * base.kept.share;
    if pages < 1.0 {
        return 0.0;
    }
    let strewn = pages * (1.0 - (-rows / pages).exp());
    let together = base.shape.keys.iter().filter_map(|key| {
        let name = key.column_name()?;
        let correlation = access.table.column(name)?.stats.as_ref()?.correlation?;
        let kept = access
            .bounds
            .iter()
            .filter(|bound| bound.target.column() == Some(name))
            .map(|bound| bound.kept)
            .chain(
                access
                    .equalities
                    .iter()
                    .filter(|one| one.target.column() == Some(name))
                    .map(|one| one.kept),
            )
            .next()?;
        (correlation.abs() >= access.limits.block_correlation_min).then_some(pages * kept.share)
    });
    together.fold(strewn, f64::min)
}
