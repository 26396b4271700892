//! `cache`: what operators see of the shared cache, and do to it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use guildhall_adapter::cache::BackendError;
use guildhall_adapter::domain::UserId;
use guildhall_adapter::repository::{PageRequest, Repositories, UserFilter, UserOrder};
use guildhall_adapter::{CacheKind, Guildhall};

use crate::context::Context;
use crate::error::{CliError, FAILED};
use crate::json::{CacheAudit, CacheCleared, CacheEntries, CacheKeys};
use crate::output::{grouped, plain, right, say, say_json, table};
use crate::progress::Progress;

/// More keys are not counted: a cache of this size is not looked at by hand.
const COUNTED_MAX: usize = 1_000_000;
const LISTED_MAX: u32 = 10_000;
const AUDITED_MAX: u32 = 100_000;
/// Members compared between two looks at the bar.
const PAGE: u16 = 100;
/// How long a write may take from its commit to its acknowledgement before its old value counts
/// as stale.
const SETTLING: Duration = Duration::from_secs(2);

pub(crate) async fn stats(context: &Context) -> Result<ExitCode, CliError> {
    let guildhall = context.connect().await?;
    let keys = found(&guildhall, "*", COUNTED_MAX).await?;
    let mut namespaces: BTreeMap<&str, u64> = BTreeMap::new();
    for key in &keys {
        let namespace = key.split(':').next().unwrap_or_default();
        *namespaces.entry(namespace).or_default() += 1;
    }
    let total = keys.len() as u64;
    if context.json {
        let complete = keys.len() < COUNTED_MAX;
        say_json(&CacheEntries { namespaces, total, complete })?;
    } else {
        let mut rows = table(&["namespace", "entries"]);
        right(&mut rows, &[1]);
        for (namespace, entries) in &namespaces {
            rows.add_row([plain(namespace), grouped(*entries)]);
        }
        say(rows.to_string())?;
        say(format!(
            "{} entries. Hits and misses are counted by the programs that read.",
            grouped(total)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn clear(
    namespace: Option<String>,
    pattern: Option<String>,
    context: &Context,
) -> Result<ExitCode, CliError> {
    let guildhall = context.connect().await?;
    let cache = guildhall.cache();
    let freed = match (namespace, pattern) {
        (_, Some(pattern)) => Some(cache.clear_matching(&pattern).await.map_err(refused)?),
        (Some(namespace), None) => {
            acknowledged(cache.clear_namespace_text(&[namespace]).await.map_err(refused)?)?;
            None
        }
        (None, None) => {
            require_shared(&guildhall)?;
            acknowledged(cache.clear().await)?;
            None
        }
    };
    told(context, freed, "Invalidated: every process reads these from the database.")
}

pub(crate) async fn invalidate(tags: &[String], context: &Context) -> Result<ExitCode, CliError> {
    let guildhall = context.connect().await?;
    acknowledged(guildhall.cache().invalidate_text(tags).await.map_err(refused)?)?;
    told(
        context,
        None,
        "Invalidated: every process reads what carries these tags from the database.",
    )
}

fn told(context: &Context, freed: Option<u64>, words: &str) -> Result<ExitCode, CliError> {
    if context.json {
        say_json(&CacheCleared { freed })?;
    } else {
        match freed {
            Some(freed) => say(format!("{} entries freed.", grouped(freed)))?,
            None => say(words)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn keys(
    pattern: &str,
    limit: u32,
    context: &Context,
) -> Result<ExitCode, CliError> {
    let limit = bounded("limit", limit, LISTED_MAX)?;
    let guildhall = context.connect().await?;
    let keys = found(&guildhall, pattern, limit as usize).await?;
    if context.json {
        say_json(&CacheKeys { keys })?;
    } else {
        for key in &keys {
            say(plain(key))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares by versions, the database first: a read of the cache that starts after it must not
/// give an older one, but for a write that is about to be acknowledged.
pub(crate) async fn audit(sample: u32, context: &Context) -> Result<ExitCode, CliError> {
    let sample = bounded("sample", sample, AUDITED_MAX)?;
    let guildhall = context.connect().await?;
    require_shared(&guildhall)?;
    let mut progress = Progress::new("comparing", Some(u64::from(sample)));
    let (mut compared, mut stale, mut page) = (0_u64, Vec::new(), PageRequest::first(PAGE.into())?);
    let (filter, now) = (UserFilter::default(), guildhall.clock().now());
    while compared < u64::from(sample) {
        let users = guildhall.uncached().users();
        let found = users.list(&filter, UserOrder::LastActive, now, &page).await?;
        for user in found.items.iter().take((u64::from(sample) - compared) as usize) {
            let truth = versions(&**guildhall.uncached(), user.id).await?;
            if older(versions(&**guildhall.storage(), user.id).await?, truth) {
                tokio::time::sleep(SETTLING).await;
                if older(versions(&**guildhall.storage(), user.id).await?, truth) {
                    stale.push(user.id.0);
                }
            }
            compared += 1;
            progress.at(compared);
        }
        let Some(next) = found.next_cursor else { break };
        page = PageRequest::first(PAGE.into())?.after(next);
    }
    drop(progress);
    let is_clean = stale.is_empty();
    if context.json {
        say_json(&CacheAudit { compared, stale })?;
    } else if is_clean {
        say(format!(
            "{} member(s) compared: nothing in the cache is older than the database.",
            grouped(compared)
        ))?;
    } else {
        let shown: Vec<String> = stale.iter().take(20).map(i64::to_string).collect();
        say(format!(
            "{} of {} member(s) are older in the cache than in the database: {}{}",
            stale.len(),
            grouped(compared),
            shown.join(", "),
            if stale.len() > shown.len() { ", …" } else { "" },
        ))?;
    }
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The versions of a member and of the account.
async fn versions(from: &dyn Repositories, id: UserId) -> Result<(i64, i64), CliError> {
    let user = from.users().by_id(id).await?.map_or(0, |user| user.version);
    let account = from.points().account(id).await?.map_or(0, |account| account.parts().version);
    Ok((user, account))
}

const fn older(seen: (i64, i64), truth: (i64, i64)) -> bool {
    seen.0 < truth.0 || seen.1 < truth.1
}

async fn found(
    guildhall: &Guildhall,
    pattern: &str,
    limit: usize,
) -> Result<Vec<String>, CliError> {
    guildhall.cache().keys(pattern, limit).await.map_err(refused)
}

/// This program sees no memory but its own: without Redis there is nothing to clear or compare.
fn require_shared(guildhall: &Guildhall) -> Result<(), CliError> {
    match guildhall.config().settings().cache_kind() {
        CacheKind::Redis | CacheKind::Tiered => Ok(()),
        CacheKind::Memory | CacheKind::Disabled => Err(no_shared_cache()),
    }
}

fn no_shared_cache() -> CliError {
    CliError::usage("config", "there is no shared cache to look into")
        .hint("give --redis URL: what is only in memory is seen by its own process alone")
}

fn bounded(field: &'static str, number: u32, max: u32) -> Result<u32, CliError> {
    if (1..=max).contains(&number) {
        return Ok(number);
    }
    Err(CliError::usage("validation", format!("{field} must be between 1 and {max}")))
}

fn acknowledged(is_acknowledged: bool) -> Result<(), CliError> {
    if is_acknowledged {
        return Ok(());
    }
    Err(CliError::failed("unavailable", "Redis did not acknowledge the invalidation")
        .hint("repeat it when `guildhall health` says that the cache is up"))
}

fn refused(error: BackendError) -> CliError {
    match error {
        BackendError::NotSupported(_) => no_shared_cache(),
        BackendError::Protocol(message) => CliError::usage("validation", message),
        error => CliError::failed("unavailable", error.to_string())
            .hint("check the address, and whether the server runs"),
    }
}
