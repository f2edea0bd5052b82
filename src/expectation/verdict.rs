//! What the answers to a claim's queries say about it.

use crate::access::{Example, Prospect, Undetermined};
use crate::model::Operation;
use crate::state::Verb;

/// The answer to a query.
#[derive(Clone, Debug)]
pub(super) enum Answered {
    /// What becomes of its requests.
    Prospect(Box<Prospect>),
    /// AWS's tables have no such request, whatever policies say.
    Impossible,
    /// There is none.
    Unknown(Undetermined),
}

/// Why a claim does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request shows that it is not so.
    Contrary,
    /// IAM policies that nobody declared decide it.
    LeftToIam,
    /// It depends on which key a policy means that names one by id.
    NamedById,
    /// There is no sure answer.
    Undetermined,
    /// Some of the operations do not work from other accounts.
    NotAcrossAccounts,
    /// There is no such request.
    Empty,
}

/// What becomes of a claim.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Holds,
    Fails {
        kind: Kind,
        /// A request that shows it.
        example: Option<Box<Example>>,
        /// Why there is no answer.
        why: Option<String>,
    },
}

impl Verdict {
    fn shown(kind: Kind, example: &Example) -> Self {
        Self::Fails {
            kind,
            example: Some(Box::new(example.clone())),
            why: None,
        }
    }

    fn untold(kind: Kind, why: Option<String>) -> Self {
        Self::Fails {
            kind,
            example: None,
            why,
        }
    }

    /// A claim that cannot hold, whatever policies say.
    pub(super) fn never(operation: Operation) -> Self {
        let why = format!("{operation} does not work from another account");
        Self::untold(Kind::NotAcrossAccounts, Some(why))
    }

    /// What becomes of a claim by the answers to its queries.
    pub(super) fn of(verb: Verb, answers: &[Answered]) -> Self {
        let mut is_empty = true;
        let mut left = None;
        for answer in answers {
            let prospect = match answer {
                Answered::Prospect(prospect) => prospect,
                Answered::Impossible => {
                    is_empty &= verb == Verb::Can;
                    continue;
                }
                Answered::Unknown(why) => {
                    return Self::untold(Kind::Undetermined, Some(why.to_string()));
                }
            };
            let Prospect {
                allowed,
                left_to_iam,
                refused,
            } = &**prospect;
            let contrary = match verb {
                Verb::Can => refused,
                Verb::Cannot => allowed,
            };
            if let Some(example) = contrary {
                return Self::shown(Kind::Contrary, example);
            }
            is_empty &= allowed.is_none() && left_to_iam.is_none() && refused.is_none();
            left = left.or(left_to_iam.as_ref());
        }
        match left {
            Some(example) => Self::shown(Kind::LeftToIam, example),
            None if is_empty => Self::untold(Kind::Empty, None),
            None => Self::Holds,
        }
    }

    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Holds => None,
            Self::Fails { kind, .. } => Some(*kind),
        }
    }

    /// The verdict where a claim was judged by the least and by the most that policies may mean.
    pub(super) fn both(verdicts: impl Iterator<Item = Self>) -> Self {
        verdicts
            .reduce(|one, other| match (one.kind(), other.kind()) {
                (Some(Kind::Undetermined), _) => one,
                (_, Some(Kind::Undetermined)) => other,
                (first, second) if first == second => one,
                _ => {
                    let failing = if one.kind().is_some() { one } else { other };
                    match failing {
                        Self::Holds => Self::Holds,
                        Self::Fails { example, why, .. } => Self::Fails {
                            kind: Kind::NamedById,
                            example,
                            why,
                        },
                    }
                }
            })
            .unwrap_or(Self::Holds)
    }
}
