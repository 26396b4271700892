//! Repository traits, unit of work, errors, pages and filters of the Guildhall community data layer, with mocks.
