//! Key policies as a language: documents, their JSON, the duties that they stand for, and what they say to a request.

mod account_details;
mod capability;
mod check;
mod compile;
mod condition;
mod console_order;
mod context;
mod document;
mod duty;
mod equality;
mod evaluate;
mod extent;
mod flaw;
mod grant;
mod identity;
mod json;
mod lift;
mod member;
mod normal;
mod operator;
mod pattern;
mod quantity;
mod question;
pub mod reading;
mod variable;

pub use account_details::read_account_details;
pub use capability::{ADMINISTRATION, DELETION};
pub use check::{Problem, check};
pub use compile::{KeyContext, compile};
pub use context::Context;
pub use document::{
    ActionPattern, Actions, Condition, Document, Effect, IdentityPolicy, IdentityStatement,
    Operator, OperatorName, Principals, Quantifier, Resources, Statement, Version,
};
pub use duty::{Allowance, Capability, Duties, Holder, User};
pub use equality::{align, identical, same, write_canonical};
pub use evaluate::{
    Answer, Decision, Denial, Errand, Ground, Level, Outcome, Policies, Request, Source, authorize,
    authorize_errand, authorize_under, evaluate, evaluate_under,
};
pub use extent::Extent;
pub use flaw::{Flaw, Weight, refuse_malformed};
pub use grant::{Grant, read_grants, read_grants_text};
pub use identity::{Identities, Identity, PolicyNames};
pub use json::{
    ReadError, read, read_identity, read_identity_value, read_json, read_live, read_statement,
    read_value, write, write_compact, write_identity,
};
pub use lift::{Lifted, lift};
pub use pattern::fits_glob;
pub use question::{Iam, Question, check_action, read_caller, read_question};
pub(crate) use variable::fold_names;
