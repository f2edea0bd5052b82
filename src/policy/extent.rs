//! Policies that name keys by id, beside a key whose id is not known: the least and the most that they may mean for it.

use sorted_vec::SortedSet;

use super::document::{Document, Effect, IdentityPolicy, Resources};
use super::identity::Identities;
use super::pattern::Glob;
use crate::model::Place;

/// How much access policies give that may or may not be about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// As if all that allows were about other keys, and all that denies about this one.
    Least,
    /// As if all that allows were about this key, and all that denies about others.
    Most,
}

impl Extent {
    /// A key policy at this extent; `None` where no statement names a key of the place by id.
    pub fn of_document(self, document: &Document, place: &Place) -> Option<Document> {
        let mut changed = document.clone();
        for statement in &mut changed.statements {
            self.stretch(&mut statement.resources, statement.effect, place);
        }
        (changed != *document).then_some(changed)
    }

    /// What IAM says at this extent; `None` where no statement names a key of the place by id.
    pub fn of_identities(self, identities: &Identities, place: &Place) -> Option<Identities> {
        let changed = identities.map(|policy: &mut IdentityPolicy| {
            for statement in &mut policy.statements {
                self.stretch(&mut statement.resources, statement.effect, place);
            }
        });
        (changed != *identities).then_some(changed)
    }

    fn stretch(self, resources: &mut Resources, effect: Effect, place: &Place) {
        let (Resources::Any(texts) | Resources::Not(texts)) = &*resources;
        if !texts.iter().any(|text| may_name_one(text, place)) {
            return;
        }
        let others = texts.iter().filter(|text| !may_name_one(text, place));
        let others: SortedSet<String> = others.cloned().collect();
        let is_wide = match effect {
            Effect::Allow => self == Self::Most,
            Effect::Deny => self == Self::Least,
        };
        *resources = match resources {
            Resources::Any(_) if is_wide => Resources::this_key(),
            Resources::Not(_) if is_wide && others.is_empty() => Resources::this_key(),
            Resources::Not(_) if is_wide => Resources::Not(others),
            Resources::Any(_) => Resources::Any(others),
            Resources::Not(_) => Resources::Any(SortedSet::default()),
        };
    }
}

/// True when a resource pattern takes in some keys of a place and not others, as far as it can be told.
fn may_name_one(pattern: &str, place: &Place) -> bool {
    /// Fits what takes in every id, and nothing that was written for one.
    const NO_ID: &str = "!!!!!!!!-!!!!-!!!!-!!!!-!!!!!!!!!!!!";
    let head = [
        "arn",
        place.partition().as_str(),
        "kms",
        place.region.as_str(),
        place.account.as_str(),
    ];
    let all = format!("{}:key/{NO_ID}", head.join(":"));
    if Glob::new(pattern).matches(&all) {
        return false;
    }
    let parts: Vec<&str> = pattern.split(':').collect();
    let [start @ .., resource] = parts.as_slice() else {
        return false;
    };
    if start.len() != head.len() {
        // A wildcard may stand for several parts.
        let literal = pattern.split(['*', '?']).next().unwrap_or_default();
        return start.len() < head.len()
            && literal.len() < pattern.len()
            && all.starts_with(literal);
    }
    let fits_head = start
        .iter()
        .zip(head)
        .all(|(part, text)| Glob::new(part).matches(text));
    let literal = resource.split(['*', '?']).next().unwrap_or_default();
    fits_head && (literal.starts_with("key/") || "key/".starts_with(literal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, expected: bool) {
        let place = Place {
            account: "111122223333".parse().unwrap(),
            region: "eu-west-1".parse().unwrap(),
        };
        assert_eq!(may_name_one(pattern, &place), expected, "{pattern}");
    }

    #[test]
    fn only_patterns_that_tell_keys_of_the_place_apart_may_name_one() {
        check("*", false);
        check("arn:aws:kms:*", false);
        check("arn:aws:kms:eu-west-1:111122223333:key/*", false);
        check("arn:aws:kms:*:111122223333:*", false);
        check("arn:aws:kms:eu-west-1:111122223333:key/mrk-*", true);
        check(
            "arn:aws:kms:eu-west-1:111122223333:key/0d990263-018e-4e65-a703-eff731de951e",
            true,
        );
        check(
            "arn:aws:kms:*:*:key/0d990263-018e-4e65-a703-eff731de951e",
            true,
        );
        check("arn:*/0d990263-018e-4e65-a703-eff731de951e", true);
        check(
            "arn:aws:kms:us-east-1:111122223333:key/0d990263-018e-4e65-a703-eff731de951e",
            false,
        );
        check(
            "arn:aws:kms:eu-west-1:444455556666:key/0d990263-018e-4e65-a703-eff731de951e",
            false,
        );
        check("arn:aws:kms:eu-west-1:111122223333:alias/payments", false);
        check("arn:aws:s3:::bucket/*", false);
        check("arn:aws:iam::*", false);
        check("0d990263-018e-4e65-a703-eff731de951e", false);
    }
}
