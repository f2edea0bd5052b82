//! A person's wish to stop a run, which may grow more urgent.

use tokio::sync::watch;

/// How urgently a run should stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Not at all.
    #[default]
    GoOn,
    /// After the calls under way: a write is never left without its answer.
    AfterCalls,
    /// Without waiting for anything.
    AtOnce,
}

/// Carries the wish to whoever works.
#[derive(Debug)]
pub struct Stop(watch::Sender<Wish>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(Wish::GoOn))
    }
}

impl Stop {
    /// Asks to stop, more urgently than before; returns the wish as it is now.
    pub fn ask(&self) -> Wish {
        let wish = match self.wish() {
            Wish::GoOn => Wish::AfterCalls,
            Wish::AfterCalls | Wish::AtOnce => Wish::AtOnce,
        };
        self.0.send_replace(wish);
        wish
    }

    /// The wish as it is now.
    pub fn wish(&self) -> Wish {
        *self.0.borrow()
    }

    /// Ends when nothing should be waited for any more.
    pub async fn at_once(&self) {
        let mut wishes = self.0.subscribe();
        // The sender lives as long as this borrow of it, so there is always an answer.
        let _answer = wishes.wait_for(|wish| *wish == Wish::AtOnce).await;
    }
}
