//! Styles, named by meaning. Every line is readable without them.

use anstyle::{AnsiColor, Style};

/// Something new.
pub(super) const ADDED: Style = AnsiColor::Green.on_default();
/// Something that goes.
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();
/// Something that changes.
pub(super) const CHANGED: Style = AnsiColor::Yellow.on_default();
/// Something refused or failed.
pub(super) const PROBLEM: Style = AnsiColor::Red.on_default().bold();
/// A heading.
pub(super) const HEADING: Style = Style::new().bold();
/// Something of little weight.
pub(super) const QUIET: Style = Style::new().dimmed();

/// Text in a style.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
