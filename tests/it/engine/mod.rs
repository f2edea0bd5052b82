//! The bundled KMS, through the AWS SDK's own client.

mod bench;

mod aliases;
mod authorization;
mod chaos;
mod data_key_pairs;
mod deletion;
mod encryption;
mod facts;
mod grants;
mod iam;
mod identity;
mod imports;
mod interceptor;
mod key_policy;
mod key_states;
mod key_stores;
mod keys;
mod last_usage;
mod machine;
mod macs;
mod memory;
mod model;
mod multi_region;
mod persistence;
mod public_keys;
mod random;
mod re_encryption;
mod requests;
mod rotation;
mod sessions;
mod shared_secrets;
mod signatures;
mod signed_requests;
mod tags;
mod unreadable;
