//! Fields of one foreign row, made into values of ours, with a warning for what does not fit.

use std::str::FromStr;

use guildhall_domain::{CommunityZone, Json, Points, Timestamp, Violation};

use crate::findings::Findings;
use crate::value::{self, Value};

/// The row that is being read, for the warnings, and the zone of its naive times.
pub(crate) struct Fields<'a> {
    pub(crate) table: &'a str,
    pub(crate) key: &'a str,
    pub(crate) zone: &'a CommunityZone,
    pub(crate) findings: &'a mut Findings,
}

impl Fields<'_> {
    pub(crate) fn warn(&mut self, field: &str, message: impl Into<String>) {
        self.findings.warn(self.table, self.key, Some(field), message);
    }

    /// Text with a rule of ours; left out with a warning when it breaks it.
    pub(crate) fn text<T: FromStr<Err = Violation>>(
        &mut self,
        field: &str,
        value: &Value,
    ) -> Option<T> {
        if value.is_blank() {
            return None;
        }
        let Value::Text(text) = value else {
            self.warn(field, "is not text; left out");
            return None;
        };
        match text.parse() {
            Ok(text) => Some(text),
            Err(violation) => {
                self.warn(field, format!("{}; left out", violation.rule));
                None
            }
        }
    }

    /// A time with an offset, or without one in the zone of the import.
    pub(crate) fn time(&mut self, field: &str, value: &Value) -> Option<Timestamp> {
        if value.is_blank() {
            return None;
        }
        let time = match value {
            // With an offset first: a naive reading would drop it.
            Value::Text(text) => {
                text.parse().or_else(|_| Timestamp::parse_naive(text, self.zone)).ok()
            }
            _ => None,
        };
        if time.is_none() {
            self.warn(field, "is not a time; left out");
        }
        time
    }

    /// A count: 0 when absent or, with a warning, when it is not a whole number of at least 0.
    pub(crate) fn count(&mut self, field: &str, value: &Value) -> u64 {
        if value.is_blank() {
            return 0;
        }
        // Text counts in keys, but a count that is text was never counted up.
        let whole = if matches!(value, Value::Text(_)) { None } else { value.whole() };
        whole.and_then(|number| u64::try_from(number).ok()).unwrap_or_else(|| {
            self.warn(field, "is not a whole number of at least 0; taken as 0");
            0
        })
    }

    /// A truth value, also as 0 and 1; `default` when absent or, with a warning, when it is none.
    pub(crate) fn flag(&mut self, field: &str, value: &Value, default: bool) -> bool {
        match value {
            Value::Bool(flag) => *flag,
            Value::Int(0) => false,
            Value::Int(1) => true,
            Value::Text(text) if text.trim().eq_ignore_ascii_case("true") => true,
            Value::Text(text) if text.trim().eq_ignore_ascii_case("false") => false,
            other if other.is_blank() => default,
            _ => {
                self.warn(field, format!("is not true or false; taken as {default}"));
                default
            }
        }
    }

    /// A JSON object or list that is kept in a column of text; nothing when it is empty.
    pub(crate) fn json(&mut self, field: &str, value: &Value) -> Option<Json> {
        let text = match value {
            blank if blank.is_blank() => return None,
            Value::Text(text) => text,
            _ => {
                self.warn(field, "is not JSON; left out");
                return None;
            }
        };
        let json: serde_json::Value = match serde_json::from_str(text) {
            Ok(json) => json,
            Err(_) => {
                self.warn(field, "is not JSON; left out");
                return None;
            }
        };
        let is_empty = match &json {
            serde_json::Value::Null => true,
            serde_json::Value::Object(fields) => fields.is_empty(),
            serde_json::Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if is_empty {
            return None;
        }
        match Json::new(json) {
            Ok(json) => Some(json),
            Err(violation) => {
                self.warn(field, format!("{}; left out", violation.rule));
                None
            }
        }
    }

    /// The items of a list that is kept in a column of text.
    pub(crate) fn list(&mut self, field: &str, value: &Value) -> Vec<serde_json::Value> {
        let json = match value {
            blank if blank.is_blank() => return Vec::new(),
            Value::Text(text) => serde_json::from_str(text).ok(),
            _ => None,
        };
        match json {
            Some(serde_json::Value::Array(items)) => items,
            Some(serde_json::Value::Null) => Vec::new(),
            // An empty object is what some versions write for an empty list.
            Some(serde_json::Value::Object(fields)) if fields.is_empty() => Vec::new(),
            _ => {
                self.warn(field, "is not a list; left out");
                Vec::new()
            }
        }
    }

    /// Points, rounded to hundredths with a warning when that loses something. `None`, with a
    /// warning unless it is absent, when it is not a number.
    pub(crate) fn points(&mut self, field: &str, value: &Value) -> Option<Points> {
        if value.is_blank() {
            return None;
        }
        match value::points(value) {
            Some((points, lossy)) => {
                if lossy {
                    self.warn(field, format!("has more than two decimals; rounded to {points}"));
                }
                Some(points)
            }
            None => {
                self.warn(field, "is not a number of points within bounds; left out");
                None
            }
        }
    }
}
