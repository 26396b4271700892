//! Pieces of lore.

use guildhall_domain::{LoreContentType, NewLorePiece, Requirement, Slug, Timestamp, Title};

use super::{Reading, catalogue_row, legacy_key, slug};
use crate::catalogue::Definition;
use crate::error::ImportError;
use crate::fields::Fields;
use crate::value::Value;

catalogue_row! {
    LoreRow("lore_pieces", id) {
        id, code_name, title, description, content_type, content, category, is_main_story,
        unlock_condition_type, unlock_condition_value, created_at, is_active,
    }
}

pub(super) fn read(
    reading: &mut Reading<'_>,
) -> Result<Vec<Definition<NewLorePiece>>, ImportError> {
    reading.define(piece, |row: &LoreRow| &row.created_at, |new: &NewLorePiece| new.code.clone())
}

fn piece(
    row: &LoreRow,
    _: &str,
    _: Option<Timestamp>,
    fields: &mut Fields<'_>,
) -> Result<NewLorePiece, String> {
    let raw = row.code_name.key().filter(|code| !code.trim().is_empty());
    let raw = raw.ok_or("it has no code")?;
    let code = Slug::from_legacy(&raw);
    let title = fields.text("title", &row.title).or_else(|| Title::parse(&raw).ok());
    let title = title.ok_or("it has no usable title")?;
    let content = fields.text("content", &row.content).ok_or("it has no usable content")?;
    let content_type = match row.content_type.key().unwrap_or_default().trim() {
        "" => LoreContentType::Text,
        kind => kind.to_lowercase().parse().unwrap_or_else(|_| {
            fields.warn("content_type", "is unknown; taken as text");
            LoreContentType::Text
        }),
    };
    let new = NewLorePiece {
        legacy_key: legacy_key(&code, &raw),
        code,
        title,
        description: fields.text("description", &row.description),
        content_type,
        content,
        category: slug(&row.category),
        is_main_story: fields.flag("is_main_story", &row.is_main_story, false),
        is_active: fields.flag("is_active", &row.is_active, true),
        requirements: condition(row, fields).into_iter().collect(),
    };
    new.check().map(|()| new).map_err(|error| error.to_string())
}

/// What must be fulfilled, as far as it has a counterpart.
fn condition(row: &LoreRow, fields: &mut Fields<'_>) -> Option<Requirement> {
    let kind = match &row.unlock_condition_type {
        blank if blank.is_blank() => return None,
        Value::Text(kind) => kind.trim().to_lowercase(),
        _ => String::new(),
    };
    let named = || slug(&row.unlock_condition_value);
    let found = match kind.as_str() {
        "level" | "nivel" => {
            let level = row.unlock_condition_value.whole();
            level
                .and_then(|level| u32::try_from(level).ok())
                .filter(|level| *level > 0)
                .map(Requirement::Level)
        }
        "mission" => named().map(Requirement::Mission),
        "fragment" => named().map(Requirement::Fragment),
        "achievement" => named().map(Requirement::Achievement),
        "lore" | "lore_piece" | "hint" | "clue" => named().map(Requirement::Lore),
        "vip" => Some(Requirement::Vip),
        _ => None,
    };
    if found.is_none() {
        fields.warn("unlock_condition_type", "has no counterpart; left out");
    }
    found
}
