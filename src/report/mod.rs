//! Data → text and JSON. Every format reads the same data; none of them decides anything.

mod access;
mod action;
mod answer;
mod check;
mod comparison;
mod difference;
pub mod diagnostics;
mod json;
mod shifts;
mod style;
mod text;

use std::collections::BTreeMap;
use std::io;

pub use access::{AccessReport, KeyAccess, access_json, access_text};
pub use answer::{answer_json, answer_text};
pub use check::{Checked, check_json, check_summary};
pub use comparison::{comparison_json, comparison_text};
pub use difference::{KeyDifference, Presence, differences_json, differences_text};
pub use json::faults_json;
pub use shifts::{sentence, shifts_json};

use crate::apply::Outcome;
use crate::model::Place;
use crate::plan::{KeyPlan, Plan};

/// A format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, with styles; strip them where there is no terminal.
    Text,
    /// For programs; its `version` changes when a field changes its meaning.
    Json,
}

/// What a verb has to tell.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The verb: `plan`, `apply` or `drift`.
    pub verb: &'static str,
    /// What was planned.
    pub plan: &'a Plan,
    /// What became of it, per place of the plan; `None` where nothing was tried.
    pub applied: Option<&'a Applied>,
    /// How often each KMS operation was called.
    pub calls: &'a BTreeMap<&'static str, u64>,
}

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// What was done.
    pub outcomes: BTreeMap<Place, Outcome>,
    /// What was written but is not read back yet.
    pub unconfirmed: BTreeMap<Place, Vec<KeyPlan>>,
}

/// Writes a report.
pub fn render(report: Report<'_>, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, out),
        Format::Json => json::write(report, out),
    }
}

/// Writes a plan for a person, without what became of it.
pub fn render_plan(plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    text::write_plan(plan, out)
}
