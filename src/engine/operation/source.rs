//! What is to be decrypted, and by which key.

use crate::engine::store::Connection;

use crate::engine::authorize;
use crate::engine::crypto::{self, SymmetricBlob, cipher as ciphers};
use crate::engine::store::keys::{self, Key};
use crate::engine::store::material::{self, StoredMaterial};
use crate::engine::wire::{Blob, Check, Code, Failure, words};
use crate::model::Operation;

use super::cipher::{self, Algorithm};
use super::{Context, find_key, key_use};

/// The longest ciphertext; KMS API reference, `Decrypt`.
const LONGEST: usize = 6144;

words! {
    /// What a dry run leaves out.
    DryRunModifier { IgnoreCiphertext = "IGNORE_CIPHERTEXT", }
}

/// What a request says of its ciphertext.
#[derive(Clone, Copy)]
pub(super) struct Members<'a> {
    pub ciphertext: Option<&'a Blob>,
    pub pairs: Option<&'a crypto::Context>,
    /// The names under which the request has the next two.
    pub names: (&'static str, &'static str),
    pub key_id: Option<&'a str>,
    pub algorithm: Option<&'a str>,
    pub dry_run: Option<bool>,
    pub modifiers: Option<&'a [String]>,
    pub operation: Operation,
}

/// A ciphertext, and what the request says of its key.
pub(super) struct Source<'a> {
    ciphertext: &'a [u8],
    /// The parts of a symmetric ciphertext.
    blob: Option<SymmetricBlob>,
    /// True in a dry run that asks about the key alone.
    ignored: bool,
    dry_run: bool,
    pairs: crypto::Context,
    key_id: Option<&'a str>,
    pub algorithm: Algorithm,
    operation: Operation,
}

impl<'a> Source<'a> {
    /// Reads the members, noting what the service model finds wrong with them.
    pub(super) fn of(check: &mut Check, members: Members<'a>) -> Self {
        let modifiers = members.modifiers.unwrap_or_default();
        let modifiers = check.choices("dryRunModifiers", modifiers, DryRunModifier::ALL);
        let ignored = modifiers.contains(&DryRunModifier::IgnoreCiphertext);
        let ciphertext = if ignored {
            &[]
        } else {
            check.blob("ciphertextBlob", members.ciphertext, LONGEST)
        };
        let (key_member, algorithm_member) = members.names;
        check.length(key_member, members.key_id, 1..=2048);
        let algorithm = Algorithm::check_member(check, algorithm_member, members.algorithm);
        Self {
            ciphertext,
            blob: match algorithm {
                Algorithm::Symmetric => SymmetricBlob::from_bytes(ciphertext),
                Algorithm::Rsa(_) | Algorithm::Sm2 => None,
            },
            ignored,
            dry_run: members.dry_run == Some(true),
            pairs: members.pairs.cloned().unwrap_or_default(),
            key_id: members.key_id,
            algorithm,
            operation: members.operation,
        }
    }

    /// Checks what members mean together.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.ignored && !self.dry_run {
            return Err(Failure::validation(
                "DryRunModifiers can be specified only when DryRun is true.",
            ));
        }
        if self.ignored && self.key_id.is_none() {
            return Err(Failure::validation(
                "You must specify a key when DryRunModifiers has IGNORE_CIPHERTEXT.",
            ));
        }
        cipher::check_context(self.algorithm, self.pairs.len())
    }

    /// The key and the material that open the ciphertext.
    pub(super) fn find(
        &self,
        context: &Context<'_>,
        connection: &Connection,
    ) -> Result<(Key, StoredMaterial), Failure> {
        match &self.blob {
            Some(blob) => self.of_blob(context, connection, blob),
            None => self.of_request(context, connection),
        }
    }

    /// Decrypts; a ciphertext that the request lets be ignored gives nothing.
    pub(super) fn open(
        &self,
        context: &Context<'_>,
        stored: &StoredMaterial,
    ) -> Result<Vec<u8>, Failure> {
        if self.ignored {
            return Ok(Vec::new());
        }
        let secret = key_use::unseal(context, stored)?;
        match (self.algorithm, &self.blob) {
            (Algorithm::Symmetric, Some(blob)) => {
                Ok(ciphers::symmetric_decrypt(&secret, blob, &self.pairs)?)
            }
            (Algorithm::Symmetric, None) => Err(Failure::silent(Code::InvalidCiphertext)),
            (Algorithm::Rsa(padding), _) => {
                Ok(ciphers::rsa_decrypt(&secret, padding, self.ciphertext)?)
            }
            (Algorithm::Sm2, _) => Ok(ciphers::sm2_decrypt(&secret, self.ciphertext)?),
        }
    }

    /// The key that a symmetric ciphertext names; where the request names one too, it must be the same.
    fn of_blob(
        &self,
        context: &Context<'_>,
        connection: &Connection,
        blob: &SymmetricBlob,
    ) -> Result<(Key, StoredMaterial), Failure> {
        let region = context.caller.region.as_str();
        let row = material::key_with(connection, region, &blob.material)?;
        if let Some(key_id) = self.key_id {
            let named = find_key::find_in_any_state(context, connection, key_id, self.operation)?;
            if Some(named.row) != row {
                return Err(Failure::new(
                    Code::IncorrectKey,
                    "The key ID in the request does not identify a CMK that can perform this operation.",
                ));
            }
        }
        let gone = || {
            Failure::new(
                Code::AccessDenied,
                "The ciphertext refers to a customer master key that does not exist, does not exist in this region, \
                 or you are not allowed to access.",
            )
        };
        let row = row.ok_or_else(gone)?;
        if self.key_id.is_none() {
            let key = keys::at(connection, row)?;
            let is_foreign = key.arn.place.account != context.caller.account;
            let allowed = authorize::on_key(context, connection, &key, self.operation);
            let is_gone = |failure: &Failure| is_foreign && failure.code == Code::AccessDenied;
            allowed.map_err(|failure| if is_gone(&failure) { gone() } else { failure })?;
        }
        let key = find_key::at(connection, row, self.operation)?;
        let stored = material::find(connection, key.row, &blob.material)?.ok_or_else(gone)?;
        Ok((key, stored))
    }

    /// True when the source's key is the one that a reference names, as far as can be told without asking who may.
    pub(super) fn is_of(
        &self,
        context: &Context<'_>,
        connection: &Connection,
        named: &str,
    ) -> Result<bool, Failure> {
        let row = |text: &str, operation| {
            let found = find_key::look_up(context, connection, text, operation);
            found.ok().map(|key| key.row)
        };
        let region = context.caller.region.as_str();
        let own = match (&self.blob, self.key_id) {
            (Some(blob), _) => material::key_with(connection, region, &blob.material)?,
            (None, Some(key_id)) => row(key_id, self.operation),
            (None, None) => None,
        };
        Ok(own.is_some() && own == row(named, Operation::ReEncryptTo))
    }

    /// The key of a ciphertext that names none.
    fn of_request(
        &self,
        context: &Context<'_>,
        connection: &Connection,
    ) -> Result<(Key, StoredMaterial), Failure> {
        let key_id = match self.key_id {
            Some(key_id) => key_id,
            None if self.algorithm == Algorithm::Symmetric => {
                return Err(Failure::silent(Code::InvalidCiphertext));
            }
            None => {
                return Err(Failure::validation(
                    "You must specify a KeyId for ciphertexts of asymmetric keys.",
                ));
            }
        };
        let key = find_key::find(context, connection, key_id, self.operation)?;
        cipher::check_key(&key, self.algorithm, self.operation)?;
        let stored = key_use::current(connection, &key)?;
        Ok((key, stored))
    }
}
