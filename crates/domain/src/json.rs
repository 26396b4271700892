//! Open-ended data.

use crate::violation::{Rule, Violation};

/// A JSON object or array of at most [`Json::BYTES_MAX`] bytes, for what no query ever looks into.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Json(serde_json::Value);

impl Json {
    /// The greatest size of the compact text, in bytes.
    pub const BYTES_MAX: usize = 64 * 1024;

    /// Refuses scalars, texts over the limit and NUL characters, which PostgreSQL cannot store.
    pub fn new(value: serde_json::Value) -> Result<Self, Violation> {
        let refuse = |rule| Err(Violation::new("data", rule));
        if !(value.is_object() || value.is_array()) {
            return refuse(Rule::Malformed { expected: "a JSON object or array" });
        }
        let text = value.to_string();
        if text.len() > Self::BYTES_MAX {
            return refuse(Rule::TooLong { max: Self::BYTES_MAX });
        }
        if text.contains("\\u0000") {
            return refuse(Rule::ContainsNul);
        }
        Ok(Self(value))
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &serde_json::Value {
        &self.0
    }
}
