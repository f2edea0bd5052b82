//! Key policies as a language: documents, their JSON, and the duties that they stand for.

mod document;
mod duty;
mod equality;
mod json;
mod operator;

pub use document::{
    ActionPattern, Actions, Condition, Document, Effect, Operator, OperatorName, Principals,
    Quantifier, Resources, Statement, Version,
};
pub use duty::{Allowance, Capability, Duties, Holder, User};
pub use equality::{align, identical, same, write_canonical};
pub use json::{ReadError, read, read_statement, read_value, write, write_compact};
