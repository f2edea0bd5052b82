//! The bundled KMS, through the AWS SDK's own client.

mod bench;

mod aliases;
mod deletion;
mod encryption;
mod grants;
mod identity;
mod interceptor;
mod key_policy;
mod key_states;
mod keys;
mod machine;
mod persistence;
mod requests;
mod rotation;
mod tags;
