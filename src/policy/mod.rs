//! Key policies as a language: documents, their JSON, the duties that they stand for, and what they say to a request.

mod capability;
mod check;
mod compile;
mod condition;
mod context;
mod document;
mod duty;
mod equality;
mod evaluate;
mod json;
mod lift;
mod member;
mod normal;
mod operator;
mod pattern;
mod quantity;
mod reading;
mod variable;

pub use check::{Problem, check};
pub use compile::{KeyContext, compile};
pub use context::Context;
pub use document::{
    ActionPattern, Actions, Condition, Document, Effect, Operator, OperatorName, Principals,
    Quantifier, Resources, Statement, Version,
};
pub use duty::{Allowance, Capability, Duties, Holder, User};
pub use equality::{align, identical, same, write_canonical};
pub use evaluate::{Decision, Level, Request, evaluate, evaluate_under};
pub use json::{ReadError, read, read_statement, read_value, write, write_compact};
pub use lift::{Lifted, lift};
pub use reading::Exemption;
