//! What was typed. The comments on the fields are the help.

use std::net::SocketAddr;

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use super::keys::KeyRef;
use super::output::OutputSpec;
use crate::engine::Chaos;
use crate::model::{AccountId, PrincipalName, Region};

/// Keep AWS KMS the way the manifests say
///
/// Manifests describe keys, their administrators, their users and their grants. keywright compares them with the live
/// state, in the bundled local engine (the default) or in AWS KMS, shows what differs, and makes the two agree.
#[derive(Debug, Parser)]
#[command(
    name = "keywright",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(super) struct Args {
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(super) color: Colour,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal that wants it
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// A verb.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check manifests offline
    ///
    /// Reads the manifests and reports every fault with its place and the next step. Then puts the expectations to the
    /// keys as the manifests want them: each is answered for all requests that it names, and what does not hold comes
    /// with a request that shows it. Needs no account and no network.
    ///
    /// Exit codes: 0 no faults and all expectations hold, 1 faults, 2 an expectation does not hold or is not proven.
    Check(CheckArgs),
    /// Show what apply would do
    ///
    /// Exit codes: 0 nothing to do, 1 error, 2 changes or orphans, 3 refused, 5 some keys unreadable.
    Plan(PlanArgs),
    /// Make the live state agree with the manifests
    ///
    /// Shows the plan first and asks on a terminal; elsewhere it needs --yes. Every write is preceded by a look at the
    /// live part that it changes: what moved since the plan is refused. What was written is read back.
    ///
    /// Exit codes: 0 done or nothing to do, 1 error, 3 refused by a guardrail or by your answer, 4 partly applied or not
    /// confirmed, 5 some keys unreadable.
    Apply(ApplyArgs),
    /// Tell whether the live state still agrees with the manifests
    ///
    /// A read-only plan for scheduled jobs that also finds orphans: keys with our tags that no manifest declares.
    ///
    /// Exit codes: 0 no drift, 1 error, 2 drift, 3 refused, 5 some keys unreadable.
    Drift(DriftArgs),
    /// Show who can do what with live keys
    ///
    /// Reads key policies and grants, and computes exactly what they give, over all requests: a matrix of principals and
    /// operations for each key, with the conditions in notes. `IAM` in a cell means that IAM policies of the principal's
    /// account must allow it too.
    ///
    /// Exit codes: 0 shown, 1 error or no such key, 5 some keys unreadable.
    Access(AccessArgs),
    /// Tell whether a request is allowed, and what decides it
    ///
    /// Evaluates one request against the policy, the grants and the tags of a live key, or, with --policy, offline against
    /// files. With --batch, reads one request a line as JSON and answers each with a line.
    ///
    /// Exit codes: 0 allowed, 1 error, 2 not allowed; of a batch: 0 every line answered, 1 some lines wrong.
    Explain(Box<ExplainArgs>),
    /// Compare what two policies, or two sets of manifests, allow
    ///
    /// Answers exactly, over all requests, who gains and who loses which access from the first to the second. A policy is a
    /// JSON file, also as `aws kms get-key-policy` prints it; `-` is the standard input. Folders and YAML files are
    /// manifests: their keys are compared one by one, policy and declared grants together, offline.
    ///
    /// Exit codes: 0 both answer every request alike, 1 error, 2 they differ or there is no sure answer; with --batch,
    /// 0 every line is answered, 1 one is not.
    Diff(DiffArgs),
    /// Serve the local engine to any KMS client
    ///
    /// Speaks KMS, IAM and STS over HTTP/1.1 and HTTP/2 on one port, for all accounts and Regions; also answers /healthz and
    /// /metrics. Ends on SIGINT or SIGTERM after the requests under way are answered.
    ///
    /// Exit codes: 0 ended when asked to, 1 error.
    Serve(ServeArgs),
    /// Look after the local engine's state
    ///
    /// Whoever can read the state's folder holds all its keys, so nothing here asks for credentials.
    ///
    /// Exit codes: 0 done, 1 error.
    Engine(EngineArgs),
    /// Print the JSON Schema of manifests
    ///
    /// Point an editor at it to complete and check manifests while typing.
    Schema,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, ClapArgs)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) manifests: ManifestArgs,
    #[command(flatten)]
    pub(super) outputs: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) manifests: ManifestArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) allow: AllowArgs,
    #[command(flatten)]
    pub(super) outputs: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ApplyArgs {
    /// Apply without asking
    #[arg(long, short)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct DriftArgs {
    /// Report unmanaged keys, grants and aliases as drift too
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) manifests: ManifestArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) outputs: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct DiffArgs {
    /// The first policy, or the first manifests
    #[arg(required_unless_present = "batch")]
    pub(super) before: Option<Utf8PathBuf>,
    /// The second policy, or the second manifests
    #[arg(required_unless_present = "batch")]
    pub(super) after: Option<Utf8PathBuf>,
    /// Answer JSON Lines `{id, a, b, account, keyArn}` of a file or, without one, of the standard input
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", conflicts_with_all = ["before", "after", "key", "outputs"])]
    pub(super) batch: Option<Utf8PathBuf>,
    /// ARN of the key that the policies are of [default: some key of the account]
    #[arg(long, value_name = "ARN")]
    pub(super) key: Option<String>,
    /// Account of the key, where --key does not say it [default: 111122223333]
    #[arg(long, value_name = "ID", conflicts_with = "key")]
    pub(super) account: Option<AccountId>,
    /// Which operations there are: today's, or also all that may come
    #[arg(long, value_enum, default_value_t = ActionsArg::Open)]
    pub(super) actions: ActionsArg,
    /// Leave out requests that AWS's tables exclude: condition keys with operations that do not have them, and
    /// operations that do not work from other accounts
    #[arg(long)]
    pub(super) kms_tables: bool,
    #[command(flatten)]
    pub(super) iam: IamArgs,
    #[command(flatten)]
    pub(super) outputs: OutputArgs,
}

/// Which operations there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ActionsArg {
    /// Today's, and all that may come
    Open,
    /// Today's
    Today,
}

#[derive(Debug, ClapArgs)]
pub(super) struct AccessArgs {
    /// A manifest's key, an alias, a key id or an ARN [default: all keys of the manifests]
    #[arg(value_name = "KEY")]
    pub(super) keys: Vec<KeyRef>,
    #[command(flatten)]
    pub(super) live: LiveArgs,
    #[command(flatten)]
    pub(super) outputs: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct LiveArgs {
    /// Manifest files or folders that name keys and accounts; may be given several times [default: manifests]
    #[arg(long, value_name = "PATH")]
    pub(super) manifests: Vec<Utf8PathBuf>,
    #[command(flatten)]
    pub(super) iam: IamArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ExplainArgs {
    /// Who calls: `role/NAME` and the like, as in manifests; an ARN; `account` for the root user; a service such as
    /// `logs.amazonaws.com`; or `anonymous`
    #[arg(required_unless_present = "batch")]
    pub(super) principal: Option<String>,
    /// What is called, such as `Decrypt`
    #[arg(required_unless_present = "batch")]
    pub(super) operation: Option<String>,
    /// A manifest's key, an alias, a key id or an ARN; with --policy an ARN [default then: some key of the account]
    #[arg(required_unless_present_any = ["batch", "policy"])]
    pub(super) key: Option<KeyRef>,
    /// Answer requests in JSON Lines, from the standard input where no file is named
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        default_missing_value = "-",
        conflicts_with_all = ["principal", "request", "outputs"]
    )]
    pub(super) batch: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub(super) request: RequestArgs,
    #[command(flatten)]
    pub(super) live: LiveArgs,
    #[command(flatten)]
    pub(super) outputs: OutputArgs,
}

#[derive(Debug, ClapArgs)]
#[group(id = "request", multiple = true)]
#[command(next_help_heading = "Request")]
pub(super) struct RequestArgs {
    /// File with the key policy, in place of a live key's
    #[arg(long, value_name = "FILE", conflicts_with_all = ["manifests", "target", "endpoint", "profile"])]
    pub(super) policy: Option<Utf8PathBuf>,
    /// File with an identity policy of the caller; may be given several times
    #[arg(long = "identity-policy", value_name = "FILE")]
    pub(super) identity_policies: Vec<Utf8PathBuf>,
    /// File with the caller's permissions boundary
    #[arg(long, value_name = "FILE")]
    pub(super) boundary: Option<Utf8PathBuf>,
    /// File with a policy of the caller's session; may be given several times
    #[arg(long = "session-policy", value_name = "FILE")]
    pub(super) session_policies: Vec<Utf8PathBuf>,
    /// File with the key's grants, as `aws kms list-grants` prints them
    #[arg(long, value_name = "FILE", requires = "policy")]
    pub(super) grants: Option<Utf8PathBuf>,
    /// A condition key of the request, such as `aws:SourceVpc=vpc-1`; `via=s3` for a call through a service of the key's
    /// Region, `context.NAME=VALUE` for a pair of the encryption context; several times for several keys or values
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) context: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("write it as `KEY=VALUE`".to_owned()),
    }
}

#[derive(Debug, ClapArgs)]
pub(super) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4566")]
    pub(super) listen: SocketAddr,
    /// File with the certificate chain, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<Utf8PathBuf>,
    /// File with the certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<Utf8PathBuf>,
    /// Listen without TLS on an address that others can reach; whoever can reach it can read secrets on their way
    #[arg(long)]
    pub(super) expose_plaintext_to_network: bool,
    /// Who is answered: with `open`, an access key that the engine has not made stands for a root user
    #[arg(long, value_enum, default_value_t = CredentialsArg::Open)]
    pub(super) credentials: CredentialsArg,
    /// Whom key policies and grants may name: with `strict`, only users and roles that the engine has
    #[arg(long, value_enum, default_value_t = PrincipalsArg::Accept)]
    pub(super) principals: PrincipalsArg,
    /// `Identity` manifests, or what `aws iam get-account-authorization-details` prints as *.json: these users and roles
    /// are made or made to agree; may be given several times
    #[arg(long, value_name = "PATH")]
    pub(super) identities: Vec<Utf8PathBuf>,
    /// Misbehave as AWS does, and the same each time: `seed=N`, `order`, `quotas[=50%]`, `errors=1%`, `lost=1%`,
    /// `slow=200ms`, `reads=2s`, `aliases=2s`, `grants=5s`, `principals=10s` and `decay`, with commas between them
    #[arg(long, value_name = "SPEC")]
    pub(super) chaos: Option<Chaos>,
    /// File that an audit log is appended to, one line of JSON a call; `-` is the standard error
    #[arg(long, value_name = "FILE")]
    pub(super) audit_log: Option<Utf8PathBuf>,
    /// Account of access keys that are not account ids themselves
    #[arg(long, value_name = "ID", default_value = "111122223333")]
    pub(super) account: AccountId,
    #[command(flatten)]
    pub(super) state: StateArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct EngineArgs {
    #[command(subcommand)]
    pub(super) task: EngineTask,
}

/// What to do with the engine's state.
#[derive(Debug, Subcommand)]
pub(super) enum EngineTask {
    /// Make an access key for a principal, and print it as environment variables
    ///
    /// A user or role that is not there yet is made, without any policy. A role gets a session of 12 hours.
    Keys(KeysArgs),
    /// Show what the engine holds, by account
    Show(StateArgs),
    /// Copy the state, with its master key, into a new folder; also while the engine is in use
    Backup(BackupArgs),
    /// Put a copy in the place of a state that is not there, or no longer
    Restore(BackupArgs),
    /// Delete the state: every key and all that it encrypted is lost
    Reset(ResetArgs),
}

#[derive(Debug, ClapArgs)]
pub(super) struct KeysArgs {
    /// Who, such as `user/ann`, `role/app`, `222233334444:role/app`, `account`, or an ARN
    #[arg(value_name = "PRINCIPAL")]
    pub(super) principal: PrincipalName,
    /// Account of a principal without one
    #[arg(long, value_name = "ID", default_value = "111122223333")]
    pub(super) account: AccountId,
    /// Region that the variables name
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(super) region: Region,
    #[command(flatten)]
    pub(super) state: StateArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct BackupArgs {
    /// Folder of the copy
    #[arg(value_name = "FOLDER")]
    pub(super) folder: Utf8PathBuf,
    #[command(flatten)]
    pub(super) state: StateArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ResetArgs {
    /// Delete without asking
    #[arg(long, short)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) state: StateArgs,
}

/// Who is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CredentialsArg {
    /// Everyone; an access key of 12 digits is the root user of that account
    Open,
    /// Holders of access keys that the engine has made
    Strict,
}

/// Whom key policies and grants may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PrincipalsArg {
    /// Anyone
    Accept,
    /// Only who exists
    Strict,
}

#[derive(Debug, ClapArgs)]
pub(super) struct StateArgs {
    /// Folder in which the local engine keeps its state
    #[arg(
        long,
        value_name = "DIR",
        env = "KEYWRIGHT_STATE",
        default_value = ".keywright"
    )]
    pub(super) state: Utf8PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ManifestArgs {
    /// Manifest files, or folders with *.yaml and *.yml files
    #[arg(value_name = "PATH", default_value = "manifests")]
    pub(super) paths: Vec<Utf8PathBuf>,
    #[command(flatten)]
    pub(super) iam: IamArgs,
}

#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct IamArgs {
    /// What IAM says in a live account, as `aws iam get-account-authorization-details` prints it; may be given several
    /// times
    #[arg(long, value_name = "FILE")]
    pub(super) identities: Vec<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Target")]
pub(super) struct TargetArgs {
    /// Where the live state is; an `Account` manifest may say so instead [default: local]
    #[arg(long, value_enum, conflicts_with = "endpoint")]
    pub(super) target: Option<TargetKind>,
    /// URL of a KMS endpoint, such as `http://localhost:4566`
    #[arg(long, value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// Account of the keys, where no `Account` manifest names one [default: of the credentials; local: 111122223333]
    #[arg(long, value_name = "ID")]
    pub(super) account: Option<AccountId>,
    /// Region of the keys, where no `Account` manifest names one [default: of the AWS configuration; local: us-east-1]
    #[arg(long, value_name = "REGION")]
    pub(super) region: Option<Region>,
    /// Profile of the shared AWS configuration
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// Folder in which the local engine keeps its state
    #[arg(
        long,
        value_name = "DIR",
        env = "KEYWRIGHT_STATE",
        default_value = ".keywright",
        value_parser = folder
    )]
    pub(super) state: Utf8PathBuf,
}

fn folder(text: &str) -> Result<Utf8PathBuf, String> {
    if text.is_empty() {
        return Err("write `.` for the working folder".to_owned());
    }
    Ok(text.into())
}

/// Where the live state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TargetKind {
    /// The bundled engine, with its state in a folder
    Local,
    /// AWS KMS
    Aws,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Permissions")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the command line"
)]
pub(super) struct AllowArgs {
    /// Take over keys that have no ownership tags yet
    #[arg(long)]
    pub(super) adopt: bool,
    /// Allow keys to be disabled
    #[arg(long)]
    pub(super) allow_disable: bool,
    /// Allow the deletion of keys to be scheduled
    #[arg(long)]
    pub(super) allow_deletion: bool,
    /// Allow more changes at once than the guardrail does
    #[arg(long)]
    pub(super) allow_mass_change: bool,
    /// Skip the checks, AWS's own included, that somebody can still change the policy afterwards
    #[arg(long)]
    pub(super) allow_lockout: bool,
    /// Allow changes of access that cannot be told
    #[arg(long)]
    pub(super) allow_undetermined: bool,
    /// Rewrite policies that mean the same in other words
    #[arg(long)]
    pub(super) rewrite: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct OutputArgs {
    /// Format of the report, `text` or `json`, with a file to write it to beside the text; may be given several times
    /// [default: text]
    #[arg(long = "output", short = 'o', value_name = "FORMAT[=FILE]")]
    pub(super) outputs: Vec<OutputSpec>,
}
