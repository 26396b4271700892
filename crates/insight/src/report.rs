//! What is handed to a person: what to build and why, what not and why not, and what to doubt.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::advise::{Advised, Figure, Finding, ParseSummary, Recommendation, Refusal};
use crate::catalog::{IndexKey, IndexShape, KeyPart, TableName};
use crate::cost::CostRefusal;
use crate::validate::{Adopted, Verdict};

/// Why something was not proposed: by the rules, or once it was priced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reason {
    /// A rule said no.
    Rule(Refusal),
    /// The figures did.
    Cost(CostRefusal),
    /// A person said so in an earlier run.
    RefusedBefore,
    /// The statement that would make it cannot be spelled.
    NotSpelled {
        /// What cannot.
        why: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(refusal) => refusal.fmt(out),
            Self::Cost(refusal) => refusal.fmt(out),
            Self::RefusedBefore => out.write_str("it was refused before"),
            Self::NotSpelled { why } => write!(out, "no statement can make it: {why}"),
        }
    }
}

/// Something that is not proposed, with its one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotProposed {
    /// The table.
    pub table: TableName,
    /// The index, if it had come to one.
    pub shape: Option<IndexShape>,
    /// The statement it was thought of for, by its place in the workload.
    pub statement: Option<usize>,
    /// Why not.
    pub reason: Reason,
}

/// The report of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Which server or library was asked.
    pub server: String,
    /// What weakens all that follows: a sentence each. A reader sees these first.
    pub opening: Vec<String>,
    /// What to build, the most helpful first.
    pub recommendations: Vec<Recommendation>,
    /// Time that all of them together may save, in the workload's span. `None`: no statement was
    /// timed.
    pub saved: Option<Figure>,
    /// What all of them take.
    pub bytes: Option<Figure>,
    /// What was recommended before and is there, with the change that was measured since.
    pub adopted: Vec<Adopted>,
    /// What to write otherwise.
    pub rewrites: Vec<Advised>,
    /// What is wrong with the indexes that are there.
    pub findings: Vec<Finding>,
    /// What is not proposed.
    pub not_proposed: Vec<NotProposed>,
    /// How much of the workload was understood.
    pub parsed: ParseSummary,
}

impl Report {
    /// The shapes recommended, in order.
    #[must_use]
    pub fn shapes(&self) -> Vec<IndexShape> {
        self.recommendations.iter().map(|one| one.shape.clone()).collect()
    }
}

/// `messages (guild_id, created_at DESC) where pinned`: short, for people; not SQL to be run.
#[must_use]
pub fn spell(shape: &IndexShape) -> String {
    let key = |key: &IndexKey| {
        let mut text = match &key.part {
            KeyPart::Column(name) => name.clone(),
            KeyPart::Expression(sql) => sql.clone(),
        };
        if let Some(collation) = &key.collation {
            text.push_str(&format!(" collate {collation}"));
        }
        if let Some(opclass) = &key.opclass {
            text.push_str(&format!(" {opclass}"));
        }
        if key.direction == crate::catalog::Direction::Desc {
            text.push_str(" desc");
        }
        text
    };
    let keys: Vec<String> = shape.keys.iter().map(key).collect();
    let mut text = format!("{} ({})", shape.table, keys.join(", "));
    if shape.method != crate::catalog::Method::BTree {
        text = format!("{} by {}", text, shape.method.as_sql());
    }
    if !shape.include.is_empty() {
        text.push_str(&format!(" with {}", shape.include.join(", ")));
    }
    if let Some(predicate) = &shape.predicate {
        text.push_str(&format!(" where {predicate}"));
    }
    text
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "Index advice for {}", self.server)?;
        for sentence in &self.opening {
            writeln!(out, "! {sentence}")?;
        }
        if self.recommendations.is_empty() {
            writeln!(out, "\nNothing to build.")?;
        }
        for one in &self.recommendations {
            recommendation(out, one)?;
        }
        if let Some(saved) = &self.saved {
            writeln!(out, "\nTogether: {saved} saved")?;
        }
        if let Some(bytes) = &self.bytes {
            writeln!(out, "Together: {bytes}")?;
        }
        section(out, "Adopted", &self.adopted, adoption)?;
        section(out, "To write otherwise", &self.rewrites, |one| {
            format!("statement {} on {}: {}", one.statement, one.table, one.rewrite)
        })?;
        section(out, "Indexes that are there", &self.findings, |one| {
            let index = one.index.as_deref().unwrap_or("-");
            format!("{} {index}: {}", one.table, one.problem)
        })?;
        section(out, "Not proposed", &self.not_proposed, |one| {
            let what = one.shape.as_ref().map_or_else(|| one.table.to_string(), spell);
            match one.statement {
                Some(statement) => format!("{what} for statement {statement}: {}", one.reason),
                None => format!("{what}: {}", one.reason),
            }
        })?;
        for (statement, reason) in &self.parsed.not_understood {
            writeln!(out, "Statement {statement} was not understood: {reason}")?;
        }
        Ok(())
    }
}

fn section<T>(
    out: &mut fmt::Formatter<'_>,
    title: &str,
    list: &[T],
    line: impl Fn(&T) -> String,
) -> fmt::Result {
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    for one in list {
        writeln!(out, "  {}", line(one))?;
    }
    Ok(())
}

/// What an index that was recommended came to, in a sentence.
fn adoption(one: &Adopted) -> String {
    let mut text = format!("[{}] {}: ", one.id, spell(&one.shape));
    text.push_str(match one.verdict {
        None => "nothing was kept from before it was there",
        Some(Verdict::Kept) => "it helps",
        Some(Verdict::NoEffect) => "no effect was measured: think of dropping it",
        Some(Verdict::Harmful) => "what it was to help is slower since: think of dropping it",
        Some(Verdict::TooFewCalls) => "too few calls since to say",
    });
    for (key, found) in &one.comparisons {
        if let Some((before, after)) = found.median_ms {
            text.push_str(&format!(
                "; statement {key:016x} took {before:.3} ms in the middle, now {after:.3} ms (measured live)"
            ));
        }
    }
    if let Some(scans) = one.scans {
        text.push_str(&format!("; {scans} scans"));
    }
    text
}

fn recommendation(out: &mut fmt::Formatter<'_>, one: &Recommendation) -> fmt::Result {
    writeln!(out, "\n[{}] {} ({})", one.id, spell(&one.shape), one.rung)?;
    writeln!(out, "  {};", one.ddl)?;
    for helped in &one.helped {
        write!(out, "  helps statement {}", helped.statement)?;
        if !helped.operations.is_empty() {
            write!(out, " ({})", helped.operations.join(", "))?;
        }
        write!(out, ", {} calls", helped.calls)?;
        if let Some(time) = &helped.total_time {
            write!(out, ", {time}")?;
        }
        if let (Some(before), Some(after)) = (&helped.before, &helped.after) {
            write!(out, ": {before} before, {after} after")?;
        }
        writeln!(out)?;
    }
    if let Some(bytes) = &one.bytes {
        writeln!(out, "  takes {bytes}")?;
    }
    if let Some(charge) = &one.write_charge {
        writeln!(out, "  writers pay {charge}")?;
    }
    if !one.makes_redundant.is_empty() {
        writeln!(out, "  makes redundant: {}", one.makes_redundant.join(", "))?;
    }
    writeln!(out, "  the build {}", one.build)?;
    for caveat in &one.caveats {
        writeln!(out, "  but: {caveat}")?;
    }
    Ok(())
}
