//! Policy variables: `${aws:username}`, `${key, 'default'}`, and the escapes `${*}`, `${?}` and `${$}`.

use super::context::Facts;
use super::document::Version;
use super::pattern::{Glob, Piece};

/// Reads a policy's text as a pattern with its variables filled in; `None` when one has no value.
pub(super) fn expand(text: &str, version: Version, facts: Facts<'_>) -> Option<Glob> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut rest = text;
    if version == Version::V2012 {
        while let Some((before, name, after)) = next_variable(rest) {
            pieces.extend(before.chars().map(Piece::new));
            pieces.extend(value(name, facts)?.chars().map(Piece::Literal));
            rest = after;
        }
    }
    pieces.extend(rest.chars().map(Piece::new));
    Some(pieces.into_iter().collect())
}

/// The text with the names of its variables in lower case; like all condition keys they have no case.
pub(crate) fn fold_names(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = next_variable(rest) {
        // A default keeps its case.
        let (key, default) = name.split_at(name.find(',').unwrap_or(name.len()));
        folded.extend([before, "${", &key.to_ascii_lowercase(), default, "}"]);
        rest = after;
    }
    folded + rest
}

/// The text before the next variable, what stands between its braces, and the text after.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, variable) = text.split_once("${")?;
    let (name, after) = variable.split_once('}')?;
    Some((before, name, after))
}

/// A variable's value, which never has wildcards.
fn value<'a>(name: &'a str, facts: Facts<'a>) -> Option<&'a str> {
    if matches!(name, "*" | "?" | "$") {
        return Some(name);
    }
    let (key, default) = match name.split_once(',') {
        None => (name, None),
        Some((key, default)) => (key, unquote(default.trim())),
    };
    facts.single(key.trim()).or(default)
}

fn unquote(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Context;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: Option<bool>) {
        check_in(Version::V2012, pattern, text, expected);
    }

    #[track_caller]
    fn check_in(version: Version, pattern: &str, text: &str, expected: Option<bool>) {
        let mut given = Context::new().with("aws:username", "ann");
        given.set("aws:PrincipalTag/wild", ["*".to_owned()]);
        given.set("aws:TagKeys", ["a".to_owned(), "b".to_owned()]);
        let facts = Facts {
            given: &given,
            of_caller: &Context::new(),
        };
        let found = expand(pattern, version, facts).map(|glob| glob.matches(text));
        assert_eq!(found, expected, "{pattern} on {text}");
    }

    #[test]
    fn variables_take_values_of_the_request() {
        check("${aws:username}", "ann", Some(true));
        check("${AWS:UserName}", "ann", Some(true));
        check("a/${aws:username}/b", "a/ann/b", Some(true));
        check("${aws:username}-${aws:username}", "ann-ann", Some(true));
        check("${aws:username}*", "anna", Some(true));
    }

    #[test]
    fn names_have_no_case_and_defaults_have() {
        assert_eq!(
            fold_names("A/${AWS:UserName, 'Ann'}/B${*}"),
            "A/${aws:username, 'Ann'}/B${*}"
        );
        assert_eq!(fold_names("A${B"), "A${B");
    }

    #[test]
    fn missing_values_match_nothing_but_defaults() {
        check("${aws:userid}", "", None);
        check("${}", "", None);
        check("${aws:userid, 'none'}", "none", Some(true));
        check("${aws:userid,'none'}", "none", Some(true));
        check("${aws:username, 'none'}", "ann", Some(true));
        check("${aws:userid, ''}", "", Some(true));
        check("${aws:userid, none}", "none", None);
        check("${aws:TagKeys}", "a", None);
    }

    #[test]
    fn values_and_escapes_are_literal() {
        check("${aws:PrincipalTag/wild}", "x", Some(false));
        check("${aws:PrincipalTag/wild}", "*", Some(true));
        check("${*}", "*", Some(true));
        check("${*}", "x", Some(false));
        check("${?}${$}", "?$", Some(true));
        check("${$}{aws:username}", "${aws:username}", Some(true));
        check("${aws:username", "${aws:username", Some(true));
    }

    #[test]
    fn old_version_has_no_variables() {
        let old = Version::V2008;
        check_in(old, "${aws:username}", "ann", Some(false));
        check_in(old, "${aws:username}", "${aws:username}", Some(true));
        check_in(old, "${*}", "${anything}", Some(true));
    }
}
