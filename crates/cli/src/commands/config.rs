//! `config show`: what holds, and why.

use std::process::ExitCode;

use guildhall_adapter::{SETTINGS, settings_markdown};

use crate::context::Context;
use crate::error::CliError;
use crate::json::{Configuration, Setting};
use crate::output::{plain, say, say_json, table};

/// `config reference`: what may be set at all.
pub(crate) fn reference(context: &Context) -> Result<ExitCode, CliError> {
    if context.json {
        let settings = SETTINGS.iter().map(|setting| Setting {
            key: setting.key,
            value: setting.default.map(str::to_owned),
            origin: "default".to_owned(),
            doc: setting.doc,
        });
        say_json(&Configuration { settings: settings.collect() })?;
    } else {
        say(settings_markdown().trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn show(context: &Context) -> Result<ExitCode, CliError> {
    let config = context.config()?;
    if context.json {
        let settings = config.provenance().iter().map(|shown| Setting {
            key: shown.key,
            value: shown.value.clone(),
            origin: shown.origin.to_string(),
            doc: shown.doc,
        });
        say_json(&Configuration { settings: settings.collect() })?;
    } else {
        let mut rows = table(&["setting", "value", "from"]);
        for shown in config.provenance() {
            let value = shown.value.as_deref().map_or_else(|| "-".to_owned(), plain);
            rows.add_row([shown.key.to_owned(), value, shown.origin.to_string()]);
        }
        say(rows.to_string())?;
        say(
            "A setting `cache.user_ttl` is the variable GUILDHALL_CACHE_USER_TTL, or user_ttl under [cache] in the file.",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
