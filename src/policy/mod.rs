//! Key policies as a language: documents, their JSON, and the duties that they stand for.

mod document;
mod duty;

pub use document::{
    ActionPattern, Actions, Condition, Document, Effect, Operator, OperatorName, Principals,
    Quantifier, Resources, Statement, Version,
};
pub use duty::{Allowance, Capability, Duties, Holder, User};
