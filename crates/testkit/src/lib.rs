//! Contract suites, builders, a fixed clock and private servers to test applications and storages built on Guildhall.
