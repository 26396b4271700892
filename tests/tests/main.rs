//! One link for every integration test.
