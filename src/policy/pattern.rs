//! Patterns: globs over text, over ARNs part by part, and over actions without regard to case.

use sorted_vec::SortedSet;

use super::document::{ActionPattern, Actions};
use super::reading::ANY_SERVICE_MAY_BE_STARRED;

/// Text with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(Vec<Piece>);

/// One element of a glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// This character.
    Literal(char),
    /// `?`: any one character.
    One,
    /// `*`: any run of characters, also none.
    Many,
}

impl Piece {
    /// What a character of a pattern stands for.
    pub(super) fn new(character: char) -> Self {
        match character {
            '*' => Self::Many,
            '?' => Self::One,
            other => Self::Literal(other),
        }
    }

    /// The character as written, for operators without wildcards.
    fn as_char(self) -> char {
        match self {
            Self::Literal(character) => character,
            Self::One => '?',
            Self::Many => '*',
        }
    }

    fn is_one(self, character: char) -> bool {
        match self {
            Self::Literal(literal) => literal == character,
            Self::One => true,
            Self::Many => false,
        }
    }
}

/// True when the whole text fits a pattern in which `*` and `?` are wildcards.
pub fn fits_glob(pattern: &str, text: &str) -> bool {
    fits(pattern.chars().map(Piece::new), text.chars())
}

impl Glob {
    /// Reads `*` and `?` as wildcards.
    pub(super) fn new(text: &str) -> Self {
        text.chars().map(Piece::new).collect()
    }

    /// The pattern as plain text.
    pub(super) fn to_text(&self) -> String {
        self.0.iter().map(|piece| piece.as_char()).collect()
    }

    /// True when the whole text fits the pattern.
    pub(super) fn matches(&self, text: &str) -> bool {
        fits(self.0.iter().copied(), text.chars())
    }

    /// True when an ARN fits the pattern part by part, so that no wildcard crosses its first five colons.
    pub(super) fn matches_arn(&self, arn: &str) -> bool {
        let patterns = self.0.splitn(6, |piece| *piece == Piece::Literal(':'));
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let patterns: Vec<&[Piece]> = patterns.collect();
        let fits_part =
            |(pattern, part): (&&[Piece], &&str)| fits(pattern.iter().copied(), part.chars());
        patterns.len() == 6 && parts.len() == 6 && patterns.iter().zip(&parts).all(fits_part)
    }
}

impl FromIterator<Piece> for Glob {
    fn from_iter<I: IntoIterator<Item = Piece>>(pieces: I) -> Self {
        Self(pieces.into_iter().collect())
    }
}

/// Matches with one point of return, the last `*`, so that the work is at most pattern times text.
fn fits(
    mut pattern: impl Iterator<Item = Piece> + Clone,
    mut text: impl Iterator<Item = char> + Clone,
) -> bool {
    let mut last_many = None;
    loop {
        let (mut next, mut rest) = (pattern.clone(), text.clone());
        let Some(character) = rest.next() else {
            return pattern.all(|piece| piece == Piece::Many);
        };
        match next.next() {
            Some(Piece::Many) => {
                last_many = Some((next.clone(), text.clone()));
                pattern = next;
            }
            Some(piece) if piece.is_one(character) => {
                pattern = next;
                text = rest;
            }
            Some(_) | None => {
                let Some((many, taken)) = &mut last_many else {
                    return false;
                };
                taken.next();
                pattern = many.clone();
                text = taken.clone();
            }
        }
    }
}

impl ActionPattern {
    /// True when the pattern covers an action such as `kms:Decrypt`, without regard to case.
    pub fn matches(&self, action: &str) -> bool {
        if self.as_str() == "*" {
            return true;
        }
        let (Some((services, names)), Some((service, name))) =
            (self.as_str().split_once(':'), action.split_once(':'))
        else {
            return false;
        };
        let is_service = services.eq_ignore_ascii_case(service)
            || (ANY_SERVICE_MAY_BE_STARRED && services == "*");
        is_service && fits(lower(names).map(Piece::new), lower(name))
    }
}

impl Actions {
    /// True when an action such as `kms:Decrypt` is one of these.
    pub fn cover(&self, action: &str) -> bool {
        let is_one = |set: &SortedSet<ActionPattern>| set.iter().any(|one| one.matches(action));
        match self {
            Self::Any(set) => is_one(set),
            Self::Not(set) => !set.is_empty() && !is_one(set),
        }
    }
}

fn lower(text: &str) -> impl Iterator<Item = char> + Clone {
    text.chars().map(|letter| letter.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(
            Glob::new(pattern).matches(text),
            expected,
            "{pattern} on {text}"
        );
    }

    #[test]
    fn globs_cover_whole_texts() {
        check("", "", true);
        check("", "a", false);
        check("a", "", false);
        check("abc", "abc", true);
        check("abc", "abcd", false);
        check("abc", "Abc", false);
        check("*", "", true);
        check("*", "a:b/c", true);
        check("?", "", false);
        check("?", "é", true);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("a*", "a", true);
        check("*b", "aab", true);
        check("*ab*", "aaab", true);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-c-b", false);
        check("**?", "", false);
        check("**?", "xyz", true);
        check("*?b", "ab", true);
        check("*?b", "b", false);
    }

    #[test]
    fn many_stars_cost_no_more_than_pattern_times_text() {
        let pattern = "*a".repeat(400) + "b";
        let text = "a".repeat(8_000);
        check(&pattern, &text, false);
    }

    #[track_caller]
    fn check_arn(pattern: &str, arn: &str, expected: bool) {
        assert_eq!(
            Glob::new(pattern).matches_arn(arn),
            expected,
            "{pattern} on {arn}"
        );
    }

    #[test]
    fn arns_match_part_by_part() {
        let role = "arn:aws:iam::111122223333:role/team/app";
        check_arn(role, role, true);
        check_arn("arn:aws:iam::111122223333:role/*", role, true);
        check_arn("arn:*:iam::*:role/*", role, true);
        check_arn("arn:*:*:*:*:*", role, true);
        check_arn("arn:aws:iam::11112222333?:role/team/ap?", role, true);
        check_arn("arn:aws:iam:*:role/team/app", role, false);
        check_arn("arn:aws:iam::*role/team/app", role, false);
        check_arn("arn:aws:iam::111122223333:ROLE/*", role, false);
        check_arn("arn:aws:iam:?:111122223333:role/*", role, false);
        check_arn("*", role, false);
        check_arn("*", "not an arn", false);
        check_arn(
            "arn:aws:logs:*:*:*",
            "arn:aws:logs:eu-west-1:1:log-group:a:b",
            true,
        );
        check_arn(
            "arn:aws:logs:*:*:*:b",
            "arn:aws:logs:eu-west-1:1:log-group:a:b",
            true,
        );
    }

    #[track_caller]
    fn check_action(pattern: &str, action: &str, expected: bool) {
        let found = ActionPattern::new(pattern).matches(action);
        assert_eq!(found, expected, "{pattern} on {action}");
    }

    #[test]
    fn actions_match_without_regard_to_case() {
        check_action("*", "kms:Decrypt", true);
        check_action("kms:*", "kms:Decrypt", true);
        check_action("*:*", "kms:Decrypt", true);
        check_action("KMS:decrypt", "kms:Decrypt", true);
        check_action("kms:DECRYPT", "KMS:Decrypt", true);
        check_action("kms:re*", "kms:ReEncryptFrom", true);
        check_action("kms:?ncrypt", "kms:Encrypt", true);
        check_action("kms:?encrypt", "kms:Encrypt", false);
        check_action("k*:Decrypt", "kms:Decrypt", false);
        check_action("s3:*", "kms:Decrypt", false);
        check_action("kms", "kms:Decrypt", false);
        check_action("kms:Decrypt ", "kms:Decrypt", false);
    }
}
