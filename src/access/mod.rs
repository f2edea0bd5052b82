//! Access as sets: which requests two policies answer differently, exactly, each difference with a request to show it.
//!
//! The space of all requests is cut into what the policies tell apart ([`space`]); each statement is a box in it, and a
//! difference is what is left of one box when others are taken away ([`cube`]). What is claimed is shown: each
//! difference becomes a request that the ordinary evaluator answers for both policies.

mod pattern;
mod minterm;
mod clause;
mod rule;
mod caller;
mod dimension;
mod space;
mod cube;
mod requests;
mod levels;
mod survey;
mod compare;
mod open_question;
mod query;
mod condition_words;
mod phrase;
mod limits;
mod mark;
mod shift;
mod draw;
mod administrators;
mod ceiling;
mod strangers;
mod holdings;
mod matrix;

use std::fmt;

pub use administrators::{administrators, changes_of_policy};
pub use ceiling::beyond;
pub use compare::{Comparison, Scales, Verdict, Witness, compare};
#[doc(hidden)]
pub use draw::{Drawn, draw, draw_any};
pub use holdings::{Holding, Holdings, Sample, holdings};
pub use mark::Mark;
pub use matrix::{Cell, Column, Part, Row};
pub use query::{Example, Prospect, Query, ask, facts};
pub use requests::Requests;
pub use shift::{Shift, Shifts, Turn, shifts};
pub use strangers::{Stranger, Trust, strangers};
pub use survey::{Rules, Survey};

use crate::model::KeyArn;
use crate::policy::{Document, Grant, Identities};

/// What gives access to one key.
#[derive(Clone, Copy, Debug)]
pub struct Rights<'a> {
    /// The key policy.
    pub policy: &'a Document,
    /// The grants.
    pub grants: &'a [Grant],
}

impl<'a> From<&'a Document> for Rights<'a> {
    fn from(policy: &'a Document) -> Self {
        Self {
            policy,
            grants: &[],
        }
    }
}

/// Where access is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The key.
    pub key: &'a KeyArn,
    /// Which operations there are.
    pub universe: Universe,
    /// Which requests there are.
    pub tables: Tables,
    /// What IAM says about principals that are known; of all others its part stays open.
    pub identities: Option<&'a Identities>,
}

impl<'a> Scene<'a> {
    /// A key of which nothing else is known.
    #[must_use]
    pub fn of(key: &'a KeyArn) -> Self {
        Self {
            key,
            universe: Universe::default(),
            tables: Tables::default(),
            identities: None,
        }
    }
}

/// Which operations there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Universe {
    /// Today's, and all that may come.
    #[default]
    Open,
    /// Today's.
    Today,
}

/// Which requests there are, as far as AWS's tables tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tables {
    /// Any condition key may come with any operation, and any operation from any account.
    #[default]
    Ignored,
    /// Condition keys come only with the operations that have them, and only some operations from other accounts.
    Heard,
}

/// A limit that keeps a comparison from taking forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// A policy is larger than any that KMS takes.
    Size,
    /// Too many sets of values are told apart.
    Words,
    /// Too many boxes overlap.
    Steps,
}

/// Why a comparison has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undetermined {
    /// It would take too long.
    Exhausted(Exhausted),
    /// It has an element that is not compared.
    Unsupported(String),
    /// It depends on a policy variable, or on a question that AWS's pages answer in two ways.
    Unclear(String),
    /// A request that should show a difference does not: an error in this program.
    Unconfirmed(String),
}

impl From<Exhausted> for Undetermined {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

impl fmt::Display for Undetermined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exhausted(Exhausted::Size) => {
                f.write_str("the policy is larger than any that KMS takes")
            }
            Self::Exhausted(Exhausted::Words) => {
                f.write_str("the conditions tell too many values apart")
            }
            Self::Exhausted(Exhausted::Steps) => {
                f.write_str("the statements overlap in too many ways")
            }
            Self::Unsupported(why) | Self::Unclear(why) => f.write_str(why),
            Self::Unconfirmed(request) => write!(
                f,
                "{request} does not show the difference that was found; please report this"
            ),
        }
    }
}
