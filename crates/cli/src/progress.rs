//! Progress on standard error, for people only, and only when it takes a while.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter work needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that appears after a second, if standard error is a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    began: Instant,
    shown: bool,
}

impl Progress {
    /// Of `total` steps; without a total it merely moves.
    pub(crate) fn new(what: &'static str, total: Option<u64>) -> Self {
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::new_spinner(),
        };
        bar.set_draw_target(ProgressDrawTarget::hidden());
        let form = match total {
            Some(_) => "{msg:<28} {wide_bar} {human_pos}/{human_len} {eta}",
            None => "{msg:<28} {spinner} {human_pos}",
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar, began: Instant::now(), shown: false }
    }

    /// So many steps are done.
    pub(crate) fn at(&mut self, done: u64) {
        if !self.shown && self.began.elapsed() >= PATIENCE {
            self.shown = true;
            // Draws nothing by itself where standard error is no terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done);
    }

    /// The number of steps has become known.
    pub(crate) fn total(&mut self, total: u64) {
        self.bar.set_length(total);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
