//! Manifests: YAML becomes [`Desired`], with every fault of every file reported together.
//!
//! Three steps, three types: [`Sources`] are the files, [`Manifests`] are what was typed, with the place of every
//! field, and [`Desired`] is what was meant, per account and Region.

mod fault;
mod walk;
mod source;
mod yaml;
mod fields;
mod typed;
mod resolve;

#[cfg(test)]
mod tests;

use serde_json::Value as Json;

use self::fault::{Fault, Faults, Span};
use self::typed::Document;
use crate::diagnostic::Diagnostic;
use crate::model::Place;
use crate::policy::Identities;
use crate::state::Desired;

pub(crate) use self::fault::nearest;
pub use self::source::{Source, Sources};

/// Where keys live when no `Account` document says so.
#[derive(Clone, Debug)]
pub struct Fallback {
    /// The account and Region that the command line or the credentials lead to.
    pub place: Place,
}

/// What was typed: every document with the places of its fields, nothing resolved.
#[derive(Debug)]
pub struct Manifests {
    sources: Sources,
    documents: Vec<Document>,
    /// What is known of IAM from elsewhere.
    identities: Identities,
    faults: Faults,
}

/// Reads the files' documents; their faults are reported by [`Manifests::desired`].
#[must_use]
pub fn read(sources: &Sources) -> Manifests {
    let mut documents = Vec::new();
    let mut faults = Faults::new();
    for (index, source) in sources.files().iter().enumerate() {
        let file = u32::try_from(index).unwrap_or(u32::MAX);
        let before = faults.len();
        let mut is_empty = true;
        yaml::parse(file, source.text(), &mut faults, |node, faults| {
            is_empty = false;
            documents.extend(Document::read(node, faults));
        });
        if is_empty && faults.len() == before {
            let fault = Fault::warning(
                "empty-file",
                "no manifest in this file",
                Span::whole_file(file),
            );
            faults.push(fault.help("start a document with `kind:`, or remove the file"));
        }
    }
    Manifests {
        sources: sources.clone(),
        documents,
        identities: Identities::default(),
        faults,
    }
}

impl Manifests {
    /// Puts what IAM says in live accounts beside what `Identity` documents say.
    #[must_use]
    pub fn beside(self, identities: Identities) -> Self {
        Self { identities, ..self }
    }

    /// True when an `Account` document says where keys live.
    pub fn has_account(&self) -> bool {
        self.documents
            .iter()
            .any(|document| matches!(document, Document::Account(_)))
    }

    /// What was meant, with every fault of the files: of their syntax, of their fields and between them.
    ///
    /// Use the result only when no diagnostic is an error.
    #[must_use]
    pub fn desired(&self, fallback: &Fallback) -> (Desired, Vec<Diagnostic>) {
        let mut faults = self.faults.clone();
        let desired = resolve::desired(self, fallback, &mut faults);
        (desired, self.sources.diagnostics(faults))
    }
}

/// Reads and resolves manifests in one go.
#[must_use]
pub fn load(sources: &Sources, fallback: &Fallback) -> (Desired, Vec<Diagnostic>) {
    read(sources).desired(fallback)
}

/// The JSON Schema (draft 2020-12) of one document, for editors.
#[must_use]
pub fn schema() -> Json {
    Document::schema()
}
