//! Indexes on what values are made of: documents, arrays, pieces of texts; overlap of ranges; and
//! summaries of blocks.

use super::access::Access;
use super::proposal::Proposal;
use super::text;
use crate::advise::candidate::{Need, Rule};
use crate::advise::refusal::Refusal;
use crate::advise::rewrite::Rewrite;
use crate::advise::shape::{Condition, Target, Test, TextKind};
use crate::catalog::{IndexKey, Kept, Method, TypeClass};
use crate::fingerprint::System;

/// Rows that a btree may leave for a filter to go through, before another index is worth it.
const FILTERED_ROWS_MAX: f64 = 1_000.0;

/// What became of the conditions that no btree serves.
#[derive(Default)]
pub(super) struct Inverted {
    pub(super) proposals: Vec<Proposal>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) rewrites: Vec<Rewrite>,
}

pub(super) fn propose(access: &Access<'_>, conditions: &[&Condition]) -> Inverted {
    let mut found = Inverted::default();
    let left = access.equalities.iter().fold(access.rows(), |rows, one| rows * one.kept.share);
    if !access.equalities.is_empty() && left <= FILTERED_ROWS_MAX {
        return found;
    }
    for condition in conditions {
        match &condition.test {
            Test::Operator(name) if access.system() == System::Postgres => {
                operator(access, condition, name, &mut found);
            }
            Test::Text(matching) => {
                // A beginning that a btree can find needs no pieces.
                let begins = access.bounds.iter().any(|one| one.target == condition.target);
                let known = text::patterns(matching, access.statement);
                if begins {
                    continue;
                }
                let Some(shortest) = known.iter().map(|one| one.longest_run).min() else {
                    found.refusals.push(Refusal::PatternUnknown);
                    continue;
                };
                trigram(access, condition, shortest, matching.kind, &mut found);
            }
            _ => {}
        }
    }
    if let Some(proposal) = blocks(access) {
        found.proposals.push(proposal);
    }
    found
}

fn trigram(
    access: &Access<'_>,
    condition: &Condition,
    shortest: usize,
    kind: TextKind,
    found: &mut Inverted,
) {
    let column = match &condition.target {
        Target::Column(name) | Target::Expression(name) => name.clone(),
    };
    if access.system() == System::Sqlite {
        found.refusals.push(Refusal::NoTextIndex);
        if kind != TextKind::Regex {
            found.rewrites.push(Rewrite::FullTextSearch { column });
        }
        return;
    }
    if shortest < 3 {
        found.refusals.push(Refusal::PatternTooShort);
        return;
    }
    let of_text = condition
        .target
        .column()
        .is_none_or(|name| access.table.column(name).is_some_and(|column| column.class.is_text()));
    if !of_text {
        found.refusals.push(Refusal::NotIndexable);
        return;
    }
    similar(access, condition, column, found);
}

fn similar(access: &Access<'_>, condition: &Condition, column: String, found: &mut Inverted) {
    if !access.catalog.has_extension("pg_trgm") {
        let name = "pg_trgm".to_owned();
        found.refusals.push(Refusal::ExtensionMissing { name: name.clone() });
        found.rewrites.push(Rewrite::InstallExtension { name, column });
        return;
    }
    let key = plain_key(&condition.target).opclass("gin_trgm_ops");
    found.proposals.push(inverted(access, Method::Gin, key, condition.kept, Rule::Trigram));
}

fn plain_key(target: &Target) -> IndexKey {
    match target {
        Target::Column(name) => IndexKey::column(name),
        Target::Expression(sql) => IndexKey::expression(sql),
    }
}

fn inverted(
    access: &Access<'_>,
    method: Method,
    key: IndexKey,
    kept: Kept,
    rule: Rule,
) -> Proposal {
    let mut proposal = Proposal::btree(&access.table.name, vec![key.clone()], 0);
    proposal.shape.method = method;
    proposal.rules = vec![rule];
    proposal.kept = kept;
    match &key.part {
        crate::catalog::KeyPart::Expression(sql) => {
            proposal.by(Rule::Expression).needing(Need::ExpressionStatistics(sql.clone()))
        }
        crate::catalog::KeyPart::Column(_) => proposal,
    }
}

/// The index that has the operator, by the type of what it stands on.
fn operator(access: &Access<'_>, condition: &Condition, name: &str, found: &mut Inverted) {
    let column = condition.target.column().and_then(|name| access.table.column(name));
    let class = match (&condition.target, column) {
        (Target::Column(_), Some(column)) => column.class.clone(),
        (Target::Expression(sql), _) if sql.starts_with("to_tsvector(") => TypeClass::TsVector,
        (Target::Expression(sql), _) if sql.starts_with('(') && sql.contains("->") => {
            TypeClass::Jsonb
        }
        _ => TypeClass::Other,
    };
    let key = plain_key(&condition.target);
    let kept = condition.kept;
    let proposal = match (&class, name) {
        (TypeClass::Jsonb, "@>" | "@?" | "@@") => {
            inverted(access, Method::Gin, key.opclass("jsonb_path_ops"), kept, Rule::Inverted)
        }
        (TypeClass::Jsonb, "?" | "?|" | "?&")
        | (TypeClass::Array(_), "@>" | "&&" | "<@")
        | (TypeClass::TsVector, "@@") => inverted(access, Method::Gin, key, kept, Rule::Inverted),
        (TypeClass::Range, "@>" | "<@" | "&&") => {
            inverted(access, Method::Gist, key, kept, Rule::Spatial)
        }
        (TypeClass::Network, "&&" | "<<=" | ">>=" | "<<" | ">>") => {
            inverted(access, Method::Gist, key.opclass("inet_ops"), kept, Rule::Spatial)
        }
        (TypeClass::Text, "%") => {
            let name = condition.target.column().unwrap_or_default().to_owned();
            return similar(access, condition, name, found);
        }
        _ => {
            found.refusals.push(Refusal::NotIndexable);
            return;
        }
    };
    found.proposals.push(proposal);
}

/// Summaries of block ranges, where values follow the order on disk.
fn blocks(access: &Access<'_>) -> Option<Proposal> {
    let limits = access.limits;
    let free = access.system() == System::Postgres
        && access.equalities.is_empty()
        && access.rows() >= limits.block_rows_min;
    let bound = access.bounds.iter().filter(|_| free).find(|bound| {
        let column = bound.target.column().and_then(|name| access.table.column(name));
        let correlation = column.and_then(|column| column.stats.as_ref()?.correlation);
        !bound.pattern
            && bound.keys.len() == 1
            && correlation.is_some_and(|one| one.abs() >= limits.block_correlation_min)
    })?;
    let key = bound.keys.first()?.clone();
    Some(inverted(access, Method::Brin, key, bound.kept, Rule::BlockRange).ranked(1))
}
