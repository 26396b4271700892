//! Tests of the whole workspace; see `tests/`. The pages that people copy from are compiled here.

/// Makes a documentation test of every Rust block of these pages.
macro_rules! pages {
    ($($name:ident = $path:literal;)+) => {$(
        #[cfg(doctest)]
        #[doc = include_str!(concat!("../../", $path))]
        pub struct $name;
    )+};
}

pages! {
    Readme = "README.md";
    GettingStarted = "docs/guide/getting-started.md";
    Layers = "docs/guide/layers.md";
    AddAnAggregate = "docs/guide/add-an-aggregate.md";
    Achievements = "docs/guide/achievements.md";
    Caching = "docs/guide/caching.md";
    TestingYourService = "docs/guide/testing-your-service.md";
    OnceOnly = "docs/guide/once-only.md";
    Configuration = "docs/guide/configuration.md";
    Import = "docs/guide/import.md";
    Missions = "docs/guide/missions.md";
    Outbox = "docs/guide/outbox.md";
    Stories = "docs/guide/stories.md";
}
