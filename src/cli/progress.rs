//! Progress of long work, on a terminal only.

use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::context::Context;

/// Work that is done sooner says nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// A line on stderr that says how far the work is.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    is_watched: bool,
}

impl Progress {
    /// Starts a line; it stays away where nobody watches and for work of less than a moment.
    pub(super) fn start(context: &Context, verb: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg} {pos}/{len} keys [{elapsed}]") {
            bar.set_style(style);
        }
        bar.set_message(verb);
        Self {
            bar,
            is_watched: context.is_watched,
        }
    }

    /// Does the work, and shows the line once it takes a while, even where nothing comes to an end.
    pub(super) async fn over<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        tokio::select! {
            done = &mut work => done,
            () = tokio::time::sleep(PATIENCE) => {
                self.show(Duration::ZERO);
                work.await
            }
        }
    }

    /// So many more keys are part of the work.
    pub(super) fn add(&self, keys: usize) {
        self.bar.inc_length(u64::try_from(keys).unwrap_or(0));
    }

    /// One key is finished.
    pub(super) fn step(&self) {
        self.bar.inc(1);
        self.show(PATIENCE);
    }

    /// Draws the line from now on, where someone watches and the work has taken a while.
    fn show(&self, patience: Duration) {
        if self.is_watched && self.bar.is_hidden() && self.bar.elapsed() >= patience {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
    }

    /// Something that should stay on the screen.
    pub(super) fn say(&self, line: &str) {
        self.show(Duration::ZERO);
        self.bar.println(line);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
