//! `points`: give, take, send, and look at a ledger.

use std::process::ExitCode;

use guildhall_adapter::domain::{
    Amount, Award, Deduct, Description, EntryReference, IdemKey, Outcome, PointEntry, Source,
    Transfer, Violation,
};
use guildhall_adapter::repository::{Cursor, EntryFilter, PageRequest};

use crate::args::MoveArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::json::{Entry, History, Moved, Transferred, levels_reached};
use crate::output::{moment, plain, right, say, say_json, table};
use crate::user_ref::{UserRef, resolve};

pub(crate) async fn award(args: &MoveArgs, context: &Context) -> Result<ExitCode, CliError> {
    let request = Request::parse(args)?;
    let guildhall = context.connect().await?;
    let user = resolve(&guildhall, &args.user).await?;
    let award = Award {
        source_ref: request.reference,
        description: request.description,
        idem_key: request.key,
        ..Award::new(user.id, request.amount, request.source)
    };
    let outcome = guildhall.crediting().award(&award).await?;
    acknowledge(&outcome, "given to", &user.shown_name(), context)
}

pub(crate) async fn deduct(args: &MoveArgs, context: &Context) -> Result<ExitCode, CliError> {
    let request = Request::parse(args)?;
    let guildhall = context.connect().await?;
    let user = resolve(&guildhall, &args.user).await?;
    let deduct = Deduct {
        source_ref: request.reference,
        description: request.description,
        idem_key: request.key,
        ..Deduct::new(user.id, request.amount, request.source)
    };
    let outcome = guildhall.crediting().deduct(&deduct).await?;
    acknowledge(&outcome, "taken from", &user.shown_name(), context)
}

pub(crate) async fn transfer(
    (from, to): (&str, &str),
    amount: &str,
    (key, description): (Option<&str>, Option<&str>),
    context: &Context,
) -> Result<ExitCode, CliError> {
    let amount = parse_amount(amount)?;
    let idem_key = key.map(IdemKey::parse).transpose()?;
    let description = description.map(Description::parse).transpose()?;
    let _members: (UserRef, UserRef) = (from.parse()?, to.parse()?);
    let guildhall = context.connect().await?;
    let (from, to) = (resolve(&guildhall, from).await?, resolve(&guildhall, to).await?);
    let mut transfer = Transfer::new(from.id, to.id, amount)?;
    (transfer.idem_key, transfer.description) = (idem_key, description);
    let outcome = guildhall.crediting().transfer(&transfer).await?;
    let (sent, received) = (&outcome.value.sent, &outcome.value.received);
    if context.json {
        let replayed = outcome.replayed;
        say_json(&Transferred { replayed, sent: sent.into(), received: received.into() })?;
    } else {
        let again = if outcome.replayed { " (earlier, under the same key)" } else { "" };
        say(format!(
            "{amount} points went from {} to {}{again}; they have {} and {} now.",
            plain(&from.shown_name()),
            plain(&to.shown_name()),
            sent.balance_after,
            received.balance_after,
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn history(
    user: &str,
    limit: u32,
    (after, source): (Option<&str>, Option<&str>),
    context: &Context,
) -> Result<ExitCode, CliError> {
    let mut page = PageRequest::first(limit)?;
    if let Some(cursor) = after {
        page = page.after(cursor.parse::<Cursor>()?);
    }
    let source = source.map(Source::parse).transpose()?;
    let filter = EntryFilter { source, ..EntryFilter::default() };
    let _member: UserRef = user.parse()?;
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?;
    let found = guildhall.ledger().transactions(member.id, &filter, &page).await?;
    let next_cursor = found.next_cursor.map(|cursor| cursor.as_str().to_owned());
    if context.json {
        say_json(&History { items: found.items.iter().map(Entry::from).collect(), next_cursor })?;
    } else if found.items.is_empty() {
        say(format!("{} has no such entries.", plain(&member.shown_name())))?;
    } else {
        say(render(&found.items))?;
        if let Some(cursor) = next_cursor {
            say(format!("There are older ones: go on with --after {cursor}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Entries as a table.
pub(crate) fn render(entries: &[PointEntry]) -> String {
    let mut rows = table(&["seq", "when", "what", "for", "amount", "balance"]);
    for entry in entries {
        let reference = entry.source_ref.as_ref().map(|reference| format!(" {reference}"));
        let purpose = format!("{}{}", entry.source, reference.unwrap_or_default());
        rows.add_row([
            entry.seq.to_string(),
            moment(entry.created_at),
            entry.kind.to_string(),
            plain(&purpose),
            entry.amount.to_string(),
            entry.balance_after.to_string(),
        ]);
    }
    right(&mut rows, &[0, 4, 5]);
    rows.to_string()
}

/// In points, as people write them; the library counts in hundredths.
fn parse_amount(raw: &str) -> Result<Amount, CliError> {
    raw.parse().map_err(|broken: Violation| {
        let shown: String = plain(raw).chars().take(40).collect();
        let message = format!("`{shown}` is not an amount: it must be more than zero points");
        CliError::usage("validation", message)
            .input("amount", broken.rule.code())
            .hint("write it as 12 or 12.5, with at most two decimals and at most 90000000000000")
    })
}

/// What was asked for, checked before anything is connected to.
struct Request {
    amount: Amount,
    source: Source,
    reference: Option<EntryReference>,
    description: Option<Description>,
    key: Option<IdemKey>,
}

impl Request {
    fn parse(args: &MoveArgs) -> Result<Self, CliError> {
        let _member: UserRef = args.user.parse()?;
        Ok(Self {
            amount: parse_amount(&args.amount)?,
            source: Source::parse(&args.source)?,
            reference: args.reference.as_deref().map(EntryReference::parse).transpose()?,
            description: args.description.as_deref().map(Description::parse).transpose()?,
            key: args.key.as_deref().map(IdemKey::parse).transpose()?,
        })
    }
}

/// Says that it was done. Only called once the database has committed.
fn acknowledge(
    outcome: &Outcome<PointEntry>,
    verb: &str,
    name: &str,
    context: &Context,
) -> Result<ExitCode, CliError> {
    let (entry, levels_reached) = (&outcome.value, levels_reached(&outcome.events));
    if context.json {
        say_json(&Moved { replayed: outcome.replayed, entry: entry.into(), levels_reached })?;
        return Ok(ExitCode::SUCCESS);
    }
    let again = if outcome.replayed { " (earlier, under the same key)" } else { "" };
    let amount = entry.amount.to_string();
    let (amount, balance) = (amount.trim_start_matches('-'), entry.balance_after);
    say(format!("{amount} points {verb} {}{again}; the balance is {balance}.", plain(name)))?;
    if let Some(level) = levels_reached.last() {
        say(format!("Level {level} is reached."))?;
    }
    Ok(ExitCode::SUCCESS)
}
