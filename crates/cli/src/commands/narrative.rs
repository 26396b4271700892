//! `narrative check`: the faults of the story.

use std::process::ExitCode;

use guildhall_adapter::domain::{Slug, StoryCheck, StoryWay};

use crate::context::Context;
use crate::error::{CliError, FAILED};
use crate::json::Checked;
use crate::output::{say, say_json, table};

/// How many rows people are shown; JSON has them all.
const SHOWN: usize = 200;

/// Reads past the cache: a fault that was mended a moment ago is none.
pub(crate) async fn check(context: &Context) -> Result<ExitCode, CliError> {
    let guildhall = context.connect().await?;
    let found = guildhall.uncached().narrative().story_check().await?;
    if context.json {
        say_json(&Checked::from(&found))?;
    } else {
        say(render(&found))?;
    }
    Ok(if found.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn render(found: &StoryCheck) -> String {
    let (fragments, endings) = (found.fragments, found.endings.len());
    if fragments == 0 {
        return "There is no story: no fragment is active.".to_owned();
    }
    if found.is_sound() {
        return format!(
            "The story is sound: {fragments} active fragment(s), {endings} ending(s), all of them \
             within reach."
        );
    }
    let faults = faults(found);
    let mut rows = table(&["fault", "where"]);
    for (fault, place) in faults.iter().take(SHOWN) {
        rows.add_row([(*fault).to_owned(), place.clone()]);
    }
    let more = faults.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n… and {more} more (--json)") } else { String::new() };
    format!("{rows}{more}\n{} fault(s) among {fragments} active fragment(s).", faults.len())
}

fn faults(found: &StoryCheck) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    match found.starts.as_slice() {
        [_] => {}
        [] => faults.push(("no start", "the story begins nowhere".to_owned())),
        starts => faults.push(("several starts", joined(starts, ", "))),
    }
    let each =
        |fault, slugs: &[Slug]| slugs.iter().map(move |id| (fault, id.to_string())).collect();
    let unreachable: Vec<_> = each("nothing leads there", &found.unreachable);
    let dead_ends: Vec<_> = each("dead end", &found.dead_ends);
    faults.extend(unreachable.into_iter().chain(dead_ends));
    faults.extend(found.cycles.iter().map(|cycle| ("circle", joined(cycle, " "))));
    faults.extend(found.missing.iter().map(|way| ("leads nowhere", way_of(way))));
    faults
}

fn joined(slugs: &[Slug], by: &str) -> String {
    slugs.iter().map(Slug::as_str).collect::<Vec<_>>().join(by)
}

fn way_of(way: &StoryWay) -> String {
    match way.choice {
        Some(choice) => format!("{}, choice {choice}, to {}", way.from, way.to),
        None => format!("{}, by itself, to {}", way.from, way.to),
    }
}
