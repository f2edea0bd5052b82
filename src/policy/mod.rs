//! Key policies as a language: documents, their JSON, and the duties that they stand for.

mod capability;
mod check;
mod compile;
mod document;
mod duty;
mod equality;
mod json;
mod lift;
mod member;
mod normal;
mod operator;

pub use check::{Problem, check};
pub use compile::{KeyContext, compile};
pub use document::{
    ActionPattern, Actions, Condition, Document, Effect, Operator, OperatorName, Principals,
    Quantifier, Resources, Statement, Version,
};
pub use duty::{Allowance, Capability, Duties, Holder, User};
pub use equality::{align, identical, same, write_canonical};
pub use json::{ReadError, read, read_statement, read_value, write, write_compact};
pub use lift::{Lifted, lift};
