use std::time::Duration;

/// How much a profiler keeps, and from where on it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How many statements are told apart; the rest are counted as one. At least 1.
    pub statements_max: usize,
    /// How many labels of operations are told apart; the rest are counted as one. At least 1.
    pub operations_max: usize,
    /// How many findings are kept: one for each operation, statement and kind.
    pub findings_max: usize,
    /// From how long on a call is slow.
    pub slow_from: Duration,
    /// How many slow calls are kept, the latest.
    pub slow_max: usize,
    /// How many plans are fetched in a minute, at most.
    pub plans_per_minute: u32,
    /// How often a statement must be seen in one operation before it is judged. At least 2.
    pub repeats_min: u32,
    /// How many rows each call of an N+1 gives, at most.
    pub n_plus_one_rows_max: u64,
    /// Whether bind values are kept: some vectors of each statement, in memory only. They may be
    /// personal data. `LIMIT` and `OFFSET` are kept always.
    pub keep_binds: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            statements_max: 1_000,
            operations_max: 200,
            findings_max: 256,
            slow_from: Duration::from_secs(1),
            slow_max: 100,
            plans_per_minute: 6,
            repeats_min: 5,
            n_plus_one_rows_max: 2,
            keep_binds: false,
        }
    }
}

impl Options {
    /// The defaults, to change fields of.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`statements_max`](Self::statements_max).
    #[must_use]
    pub fn statements_max(mut self, statements: usize) -> Self {
        self.statements_max = statements.max(1);
        self
    }

    /// Sets [`operations_max`](Self::operations_max).
    #[must_use]
    pub fn operations_max(mut self, operations: usize) -> Self {
        self.operations_max = operations.max(1);
        self
    }

    /// Sets [`findings_max`](Self::findings_max).
    #[must_use]
    pub fn findings_max(mut self, findings: usize) -> Self {
        self.findings_max = findings;
        self
    }

    /// Sets [`slow_from`](Self::slow_from).
    #[must_use]
    pub fn slow_from(mut self, duration: Duration) -> Self {
        self.slow_from = duration;
        self
    }

    /// Sets [`slow_max`](Self::slow_max).
    #[must_use]
    pub fn slow_max(mut self, calls: usize) -> Self {
        self.slow_max = calls;
        self
    }

    /// Sets [`plans_per_minute`](Self::plans_per_minute).
    #[must_use]
    pub fn plans_per_minute(mut self, plans: u32) -> Self {
        self.plans_per_minute = plans;
        self
    }

    /// Sets [`repeats_min`](Self::repeats_min).
    #[must_use]
    pub fn repeats_min(mut self, repeats: u32) -> Self {
        self.repeats_min = repeats.max(2);
        self
    }

    /// Sets [`n_plus_one_rows_max`](Self::n_plus_one_rows_max).
    #[must_use]
    pub fn n_plus_one_rows_max(mut self, rows: u64) -> Self {
        self.n_plus_one_rows_max = rows;
        self
    }

    /// Sets [`keep_binds`](Self::keep_binds).
    #[must_use]
    pub fn keep_binds(mut self, keep: bool) -> Self {
        self.keep_binds = keep;
        self
    }
}
