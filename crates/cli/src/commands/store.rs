//! `store`: what there is, and buying it.

use std::process::ExitCode;

use guildhall_adapter::domain::{Rule, StoreItem, StoreItemId, StoreItemKind, Violation};
use guildhall_adapter::repository::StoreFilter;

use crate::args::{Paging, StoreCommand};
use crate::commands::effects::{again, below, check_user, key, more, page, told};
use crate::context::Context;
use crate::error::CliError;
use crate::json::{Item, Items, Purchased};
use crate::output::{plain, right, say, say_json, table};
use crate::user_ref::resolve;

pub(crate) async fn run(command: StoreCommand, context: &Context) -> Result<ExitCode, CliError> {
    match command {
        StoreCommand::List { kind, all, paging } => {
            list(kind.as_deref(), all, &paging, context).await
        }
        StoreCommand::Buy { user, item, key } => buy(&user, &item, key.as_deref(), context).await,
    }
}

async fn list(
    kind: Option<&str>,
    all: bool,
    paging: &Paging,
    context: &Context,
) -> Result<ExitCode, CliError> {
    let page = page(paging)?;
    let kind = kind.map(str::parse::<StoreItemKind>).transpose()?;
    let filter = StoreFilter { kind, include_inactive: all };
    let guildhall = context.connect().await?;
    let found = guildhall.storage().store().items(&filter, &page).await?;
    let next_cursor = found.next_cursor.map(|cursor| cursor.as_str().to_owned());
    if context.json {
        say_json(&Items { items: found.items.iter().map(Item::from).collect(), next_cursor })?;
    } else if found.items.is_empty() {
        say("There is nothing in the store.")?;
    } else {
        say(render(&found.items) + &more(next_cursor.as_deref()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn render(items: &[StoreItem]) -> String {
    let mut rows = table(&["id", "thing", "kind", "price", "from level", "with", "left"]);
    for StoreItem { id, offer, .. } in items {
        let off = if offer.is_active { "" } else { " (off)" };
        rows.add_row([
            id.to_string(),
            format!("{}{off}", plain(offer.title.as_str())),
            offer.kind.to_string(),
            offer.cost.to_string(),
            offer.required_level.to_string(),
            offer.required_points.to_string(),
            offer.stock.map_or_else(|| "any".to_owned(), |left| left.to_string()),
        ]);
    }
    right(&mut rows, &[0, 3, 4, 5, 6]);
    rows.to_string()
}

async fn buy(
    user: &str,
    item: &str,
    once: Option<&str>,
    context: &Context,
) -> Result<ExitCode, CliError> {
    check_user(user)?;
    let (item, once) = (parse_item(item)?, key(once)?);
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?;
    if guildhall.storage().store().by_id(item).await?.is_none() {
        return Err(CliError::unknown("item", format!("there is nothing {item} in the store"))
            .hint("`guildhall store list --all` shows everything"));
    }
    let outcome = guildhall.store().purchase(member.id, item, once.as_ref()).await?;
    if context.json {
        say_json(&Purchased::from(&outcome))?;
        return Ok(ExitCode::SUCCESS);
    }
    let owned = &outcome.value.value;
    let sentence = format!(
        "{} bought {} for {} points{}.",
        plain(&member.shown_name()),
        plain(owned.title.as_str()),
        owned.price_paid,
        again(outcome.replayed),
    );
    say(below(&sentence, &told(&outcome.value.effects, &outcome.events)))?;
    Ok(ExitCode::SUCCESS)
}

fn parse_item(raw: &str) -> Result<StoreItemId, CliError> {
    let rule = Rule::OutOfRange { min: 1, max: i64::MAX };
    let id = raw.parse().ok().filter(|id| *id > 0).map(StoreItemId);
    Ok(id.ok_or(Violation::new("item", rule))?)
}
