//! Workflows of the Guildhall community data layer that span aggregates, each one unit of work, on traits alone.
