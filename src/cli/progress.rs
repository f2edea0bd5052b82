//! Progress of long work, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::context::Context;

/// A line on stderr that says how far the work is.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts a line; it stays away where nobody watches and for work of less than a moment.
    pub(super) fn start(context: &Context, verb: &'static str) -> Self {
        let target = if context.is_watched {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{msg} {pos}/{len} keys [{elapsed}]") {
            bar.set_style(style);
        }
        bar.set_message(verb);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// So many more keys are part of the work.
    pub(super) fn add(&self, keys: usize) {
        self.bar.inc_length(u64::try_from(keys).unwrap_or(0));
    }

    /// One key is finished.
    pub(super) fn step(&self) {
        self.bar.inc(1);
    }

    /// Something that should stay on the screen.
    pub(super) fn say(&self, line: &str) {
        self.bar.println(line);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
