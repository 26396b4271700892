//! The composition root of Guildhall: configuration in, a connected community data layer out, with health and metrics.
