//! The catalogue of achievements that quiz sites keep in a script: one `insertMany` of objects
//! with `achievementId`, `title`, `description`, `category` and `criteria`.

use std::collections::HashSet;

use guildhall_domain::{
    Criterion, Label, LegacyKey, Metric, NewAchievement, Slug, Summary, Violation,
};
use serde_json::{Map, Value};

use crate::findings::Findings;
use crate::relaxed::{RelaxedError, array_at};
use crate::report::{Skipped, Warning};

/// Longer scripts are refused: no catalogue comes near.
const BYTES_MAX: usize = 4 << 20;
/// What findings call the script's one table.
const TABLE: &str = "achievements";
const KNOWN: [&str; 5] = ["achievementId", "title", "description", "category", "criteria"];

/// What a script defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AchievementCatalogue {
    /// The definitions, in the order of the script: their place within the category.
    pub definitions: Vec<NewAchievement>,
    /// Objects that define nothing, and why.
    pub skipped: Vec<Skipped>,
    /// What an operator should know of the others.
    pub warnings: Vec<Warning>,
}

/// Why a script is no catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// Too long a text.
    #[error("the script is longer than {max} bytes")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// No array of objects, or one that ends early.
    #[error("the script cannot be read")]
    Malformed(#[from] RelaxedError),
}

/// Reads a script. Writes nothing: hand the definitions to
/// [`AchievementRepository::seed`](guildhall_repository::AchievementRepository::seed).
///
/// Ids become slugs and are kept as legacy keys where they differ. A condition without counterpart
/// leaves its achievement to be given by hand, and a warning says so.
pub fn read_achievement_catalogue(text: &str) -> Result<AchievementCatalogue, CatalogueError> {
    if text.len() > BYTES_MAX {
        return Err(CatalogueError::TooLong { max: BYTES_MAX });
    }
    let begin = text.find("insertMany").unwrap_or(0);
    let mut findings = Findings::default();
    let mut definitions = Vec::new();
    let mut seen = HashSet::new();
    for (at, item) in array_at(text, begin)?.into_iter().enumerate() {
        findings.read(TABLE);
        let place = format!("#{}", at + 1);
        let Value::Object(fields) = item else {
            findings.skip(TABLE, &place, "is no object");
            continue;
        };
        let key = fields.get("achievementId").and_then(Value::as_str).unwrap_or(&place).to_owned();
        match defined(&fields, at, &mut findings) {
            Ok(new) if !seen.insert(new.id.clone()) => {
                findings.skip(TABLE, &key, "has the id of an earlier one");
            }
            Ok(new) => definitions.push(new),
            Err(reason) => findings.skip(TABLE, &key, reason),
        }
    }
    let skipped = std::mem::take(&mut findings.table(TABLE).skipped);
    Ok(AchievementCatalogue { definitions, skipped, warnings: findings.warnings })
}

fn defined(
    fields: &Map<String, Value>,
    at: usize,
    findings: &mut Findings,
) -> Result<NewAchievement, String> {
    let text = |field: &str| fields.get(field).and_then(Value::as_str).map(str::trim);
    let raw_id = text("achievementId").filter(|id| !id.is_empty());
    let raw_id = raw_id.ok_or("has no achievementId")?;
    let title = text("title").ok_or("has no title")?;
    let title = Label::parse(title).map_err(|error| error.to_string())?;
    let mut new = NewAchievement::new(Slug::from_legacy(raw_id), title);
    if new.id.as_str() != raw_id {
        new.legacy_key = LegacyKey::parse(raw_id).ok();
        findings.warn(TABLE, raw_id, Some("achievementId"), format!("became {}", new.id));
    }
    match text("description").map(Summary::parse).transpose() {
        Ok(description) => new.description = description,
        Err(error) => findings.warn(TABLE, raw_id, Some("description"), left_out(error)),
    }
    if let Some(category) = text("category").filter(|category| !category.is_empty()) {
        new.category = Slug::from_legacy(category);
    }
    new.sort_order = i32::try_from(at).unwrap_or(i32::MAX);
    match criteria(fields.get("criteria")) {
        Ok(criteria) => new.criteria = criteria,
        Err(reason) => {
            let message = format!("{reason}: it is only given by hand");
            findings.warn(TABLE, raw_id, Some("criteria"), message);
        }
    }
    for field in fields.keys().filter(|field| !KNOWN.contains(&field.as_str())) {
        findings.column_not_read(TABLE, field, 1);
        findings.warn(TABLE, raw_id, Some(field), "is not read");
    }
    new.check().map_err(|error| error.to_string())?;
    Ok(new)
}

fn left_out(error: Violation) -> String {
    format!("was left out: it {}", error.rule)
}

/// All or nothing: without one of its conditions an achievement would be too easy.
fn criteria(raw: Option<&Value>) -> Result<Vec<Criterion>, String> {
    let Some(Value::Object(conditions)) = raw else { return Err("has no conditions".to_owned()) };
    if conditions.is_empty() {
        return Err("has no conditions".to_owned());
    }
    let mut criteria = Vec::with_capacity(conditions.len());
    for (name, value) in conditions {
        let number = match value {
            Value::Bool(true) => Some(1),
            value => value.as_i64(),
        };
        let known = match (name.as_str(), number) {
            // Two halves of one condition, whose percentages are part of the metric's meaning.
            ("minScoreBefore", Some(40)) if conditions.contains_key("minScoreAfter") => continue,
            ("minScoreAfter", Some(90)) if conditions.contains_key("minScoreBefore") => {
                Metric::parse("redemption").ok().map(|metric| (metric, 1))
            }
            ("minScoreBefore" | "minScoreAfter", _) | (_, None) => None,
            (name, Some(number)) => Metric::from_legacy(name, number),
        };
        let (metric, threshold) =
            known.ok_or_else(|| format!("the condition {name} has no counterpart"))?;
        criteria.push(Criterion::at_least(metric, threshold));
    }
    Ok(criteria)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = r#"
        // Achievements of the quiz [2024]
        db.achievements.insertMany([
          {
            achievementId: "test_rookie",
            title: "🎓 Rookie",
            description: "Complete your first test",
            category: "global",
            criteria: { testCount: 1 },
          },
          { achievementId: "accuracy_king", title: "👑 King", description: "90 %",
            category: "global", criteria: { minScore: 90 } },
          { achievementId: "redemption_arc", title: "🔄 Arc", description: "",
            category: "global", criteria: { minScoreBefore: 40, minScoreAfter: 90 } },
          { achievementId: "coins", title: "💰 Coins", category: "global",
            criteria: { coins: 5000 } },
          { achievementId: "test_finisher", title: "🏁 Done", category: "global",
            criteria: { allTestsCompleted: true } },
          { achievementId: "Big Fan", title: "⭐", criteria: { perfectTestsInCategory: 2 }, xp: 5 },
          { achievementId: "local", title: "L", criteria: { testsCompletedInCategory: 3 } },
          { achievementId: "coins", title: "again", criteria: { level: 2 } },
          { title: "nobody" },
          { achievementId: "odd", title: "Odd", criteria: { minScoreBefore: 30, minScoreAfter: 90 } },
          7,
        ]);
        print("22 achievements inserted");
    "#;

    #[test]
    fn a_script_becomes_definitions() {
        let catalogue = read_achievement_catalogue(SCRIPT).unwrap();
        let rules: Vec<(String, String)> = catalogue
            .definitions
            .iter()
            .map(|new| {
                let rule = |one: &Criterion| format!("{} >= {}", one.metric, one.threshold);
                let rules: Vec<_> = new.criteria.iter().map(rule).collect();
                (new.id.to_string(), rules.join(" and "))
            })
            .collect();
        let expected = [
            ("test_rookie", "tests_completed >= 1"),
            ("accuracy_king", "highest_score_bp >= 9000"),
            ("redemption_arc", "redemption >= 1"),
            ("coins", "points_earned >= 500000"),
            ("test_finisher", "all_tests >= 1"),
            ("big_fan", "categories_perfect:2 >= 1"),
            ("local", ""),
            ("odd", ""),
        ];
        let expected = expected.map(|(id, rule)| (id.to_owned(), rule.to_owned()));
        assert_eq!(rules, expected);
        let fan = &catalogue.definitions[5];
        assert_eq!(fan.legacy_key.as_ref().map(|key| key.as_str()), Some("Big Fan"));
        assert_eq!((fan.sort_order, fan.category.as_str()), (5, "global"));
        assert_eq!(catalogue.definitions[0].title.as_str(), "🎓 Rookie");
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let catalogue = read_achievement_catalogue(SCRIPT).unwrap();
        let skipped: Vec<_> = catalogue.skipped.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(skipped, ["coins", "#9", "#11"]);
        let told = |key: &str, field: &str| {
            let same = |one: &&Warning| one.key == key && one.field.as_deref() == Some(field);
            assert_eq!(catalogue.warnings.iter().filter(same).count(), 1, "{key} {field}");
        };
        told("redemption_arc", "description");
        told("Big Fan", "achievementId");
        told("Big Fan", "xp");
        told("local", "criteria");
        told("odd", "criteria");
        assert_eq!(catalogue.warnings.len(), 5);
    }

    #[test]
    fn a_script_without_an_array_is_refused() {
        assert!(read_achievement_catalogue("db.achievements.drop()").is_err());
        assert!(read_achievement_catalogue("db.achievements.insertMany([{").is_err());
        let long = " ".repeat(BYTES_MAX + 1);
        assert!(matches!(read_achievement_catalogue(&long), Err(CatalogueError::TooLong { .. })));
        assert_eq!(read_achievement_catalogue("[]").unwrap(), AchievementCatalogue::default());
    }
}
