//! The importer against a storage that keeps its promises in memory and records what it is given.

#![allow(clippy::unwrap_used, reason = "tests, with helpers that clippy takes for something else")]

#[path = "all/authored.rs"]
mod authored;
#[path = "all/community.rs"]
mod community;
#[path = "all/community_story.rs"]
mod community_story;
#[path = "all/facts.rs"]
mod facts;
#[path = "all/fake.rs"]
mod fake;
#[path = "all/files.rs"]
mod files;
#[path = "all/json.rs"]
mod json;
#[path = "all/legacy.rs"]
mod legacy;
#[path = "all/resume.rs"]
mod resume;
#[path = "all/sqlite.rs"]
mod sqlite;
