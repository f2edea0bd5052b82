//! Targets: how the one client reaches the bundled engine, AWS, or any other KMS endpoint.

use std::num::NonZeroU16;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, anyhow, ensure};
use aws_config::sts::AssumeRoleProvider;
use aws_config::{ConfigLoader, SdkConfig};
use aws_sdk_kms::config::{BehaviorVersion, Credentials, ProvideCredentials as _};

use super::args::{self, TargetArgs};
use super::context::Context;
use super::fault::Fault;
use crate::engine::{self, Engine, Interceptor};
use crate::kms::{self, Client, Pace};
use crate::model::{AccountId, Partition, Place, Principal, Region};
use crate::state::{DesiredPlace, Target, TargetKind};

/// Where the local engine starts from when nothing names an account.
const LOCAL_ACCOUNT: &str = "111122223333";
/// Where the local engine starts from when nothing names a Region.
const LOCAL_REGION: &str = "us-east-1";

/// What a target is, once flags and manifests are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind<'a> {
    Local,
    Aws,
    Endpoint(&'a str),
}

/// The targets of one run.
#[derive(Debug)]
pub(super) struct Targets<'a> {
    args: &'a TargetArgs,
    context: &'a Context,
    engine: OnceLock<Arc<Engine>>,
}

impl<'a> Targets<'a> {
    /// Nothing is opened or loaded yet.
    pub(super) fn new(args: &'a TargetArgs, context: &'a Context) -> Self {
        Self {
            args,
            context,
            engine: OnceLock::new(),
        }
    }

    /// The account and Region of keys where no manifest names them.
    pub(super) async fn fallback(&self) -> anyhow::Result<Place> {
        let TargetArgs {
            account, region, ..
        } = self.args;
        if self.kind(&Target::default())? == Kind::Local {
            let of_environment = self.context.region.as_ref().map(|text| text.parse());
            let of_environment = of_environment.transpose().context("AWS_REGION")?;
            let Place {
                account: default,
                region: nowhere,
            } = local_place()?;
            let region = region.clone().or(of_environment).unwrap_or(nowhere);
            return Ok(Place {
                account: account.unwrap_or(default),
                region,
            });
        }
        let target = Target {
            requests_share: 50,
            ..Target::default()
        };
        let config = self.load(&target, region.as_ref(), *account).await?;
        let region = match region {
            Some(region) => region.clone(),
            None => config
                .region()
                .context("no Region: give --region, or write an `Account` manifest")?
                .as_ref()
                .parse()?,
        };
        let account = match account {
            Some(account) => *account,
            None => match caller(&config, region.partition()).await {
                Ok(caller) => caller.account,
                Err(NoCaller::Unreachable(error)) => {
                    let by = self.by_profile(&target);
                    return Err(error.context(format!("cannot find out the account{by}")));
                }
                Err(NoCaller::Refused(error)) => {
                    let help = "cannot find out the account; look at the credentials, or give --account where there is no STS";
                    return Err(error.context(help));
                }
            },
        };
        Ok(Place { account, region })
    }

    /// A client for one account and Region, after making sure that the credentials lead there.
    pub(super) async fn client(&self, place: &DesiredPlace) -> anyhow::Result<Client> {
        let DesiredPlace { place, target, .. } = place;
        let kind = self.kind(target)?;
        if kind == Kind::Local {
            return self.local(place);
        }
        let config = self
            .load(target, Some(&place.region), Some(place.account))
            .await?;
        let caller = match (caller(&config, place.partition()).await, kind) {
            (Ok(Caller { account, principal }), _) => {
                ensure!(
                    account == place.account,
                    "the credentials lead to account {account}, but the manifests describe {}",
                    place.account
                );
                principal
            }
            // A bare KMS endpoint need not have STS; AWS has.
            (Err(_), Kind::Endpoint(_)) => None,
            (Err(NoCaller::Unreachable(error)), _) => {
                let by = self.by_profile(target);
                return Err(error.context(format!("cannot reach account {}{by}", place.account)));
            }
            (Err(NoCaller::Refused(error)), _) => {
                let by = self.by_profile(target);
                let message = format!("cannot reach account {}{by}", place.account);
                return Err(error.context(format!("{message}; look at the credentials")));
            }
        };
        let pace = if kind == Kind::Aws {
            Pace::share(target.requests_share)
        } else {
            Pace::unlimited()
        };
        let client = Client::new(place.clone(), &aws_sdk_kms::Config::new(&config), pace);
        Ok(client.with_caller(caller))
    }

    /// True when the target is somewhere that needs time to show what was written.
    pub(super) fn is_remote(&self, target: &Target) -> bool {
        !matches!(self.kind(target), Ok(Kind::Local))
    }

    /// The local engine, once a client of it was asked for.
    pub(super) fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.get().cloned()
    }

    fn kind<'t>(&'t self, target: &'t Target) -> anyhow::Result<Kind<'t>> {
        match (&self.args.endpoint, self.args.target) {
            (Some(url), _) => return endpoint(url),
            (None, Some(args::TargetKind::Local)) => return Ok(Kind::Local),
            (None, Some(args::TargetKind::Aws)) => return Ok(Kind::Aws),
            (None, None) => {}
        }
        match (&target.endpoint, target.kind) {
            (Some(url), _) => endpoint(url),
            (None, Some(TargetKind::Aws)) => Ok(Kind::Aws),
            (None, Some(TargetKind::Local) | None) => Ok(Kind::Local),
        }
    }

    fn local(&self, place: &Place) -> anyhow::Result<Client> {
        let engine = if let Some(engine) = self.engine.get() {
            engine
        } else {
            let opened = Engine::open(self.engine_settings()?);
            let engine = opened.with_context(|| {
                format!(
                    "cannot use the local engine in `{}`; name another folder with --state",
                    self.args.state
                )
            })?;
            self.engine.get_or_init(|| Arc::new(engine))
        };
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_sdk_kms::config::Region::new(place.region.to_string()))
            .allow_no_auth()
            .endpoint_url("http://keywright.local")
            .http_client(engine::connector_as_root(Arc::clone(engine), place))
            .build();
        let root = Principal::Account(place.partition(), place.account);
        Ok(Client::new(place.clone(), &config, Pace::unlimited()).with_caller(Some(root)))
    }

    fn engine_settings(&self) -> anyhow::Result<engine::Settings> {
        let file = engine::Store::File(self.args.state.join("engine.db"));
        let mut settings = engine::Settings::new(file, LOCAL_ACCOUNT.parse()?);
        settings.master_key = self.context.master_key()?;
        settings.interceptor = fault(self.context)?;
        Ok(settings)
    }

    async fn load(
        &self,
        target: &Target,
        region: Option<&Region>,
        account: Option<AccountId>,
    ) -> anyhow::Result<SdkConfig> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(profile) = self.args.profile.as_ref().or(target.profile.as_ref()) {
            loader = loader.profile_name(profile);
        }
        if let Kind::Endpoint(url) = self.kind(target)? {
            loader = self.towards(loader.endpoint_url(url), url, target, account);
        }
        // Last, because a place's own Region wins over any default.
        if let Some(region) = region {
            loader = loader.region(aws_config::Region::new(region.to_string()));
        }
        let config = loader.load().await;
        let Some(role) = &target.assume_role else {
            return Ok(config);
        };
        let mut provider = AssumeRoleProvider::builder(role)
            .session_name("keywright")
            .configure(&config);
        if let Some(external_id) = &target.external_id {
            provider = provider.external_id(external_id);
        }
        let provider = provider.build().await;
        Ok(config
            .into_builder()
            .credentials_provider(aws_sdk_kms::config::SharedCredentialsProvider::new(
                provider,
            ))
            .build())
    }

    /// The profile in use, for messages.
    fn by_profile(&self, target: &Target) -> String {
        let profile = self.args.profile.as_ref().or(target.profile.as_ref());
        profile.map_or_else(String::new, |name| format!(" with profile `{name}`"))
    }

    /// A server on this machine takes any credentials; it need not have real ones.
    fn towards(
        &self,
        loader: ConfigLoader,
        url: &str,
        target: &Target,
        account: Option<AccountId>,
    ) -> ConfigLoader {
        let has_credentials =
            self.context.has_credentials || self.args.profile.is_some() || target.profile.is_some();
        if has_credentials || !is_loopback(url) {
            return loader;
        }
        let id = account.map_or_else(|| LOCAL_ACCOUNT.to_owned(), |account| account.to_string());
        let loader =
            loader.credentials_provider(Credentials::new(id, "local", None, None, "local"));
        if self.context.region.is_none() {
            loader.region(aws_config::Region::new(LOCAL_REGION))
        } else {
            loader
        }
    }
}

/// How the engine is to fail, for tests of recovery.
pub(super) fn fault(context: &Context) -> anyhow::Result<Option<Arc<dyn Interceptor>>> {
    let Some(fault) = &context.engine_fault else {
        return Ok(None);
    };
    Ok(Some(Arc::new(fault.parse::<Fault>()?)))
}

/// Where the local engine's keys are when nothing else says so.
pub(super) fn local_place() -> anyhow::Result<Place> {
    Ok(Place {
        account: LOCAL_ACCOUNT.parse()?,
        region: LOCAL_REGION.parse()?,
    })
}

fn endpoint(url: &str) -> anyhow::Result<Kind<'_>> {
    ensure!(
        url.starts_with("http://") || url.starts_with("https://"),
        "endpoint `{url}` is not a URL; write it like http://localhost:4566"
    );
    ensure!(
        url.starts_with("https://") || is_loopback(url),
        "endpoint `{url}` is not on this machine and not encrypted; use https"
    );
    let port = url.parse::<http::Uri>().ok().and_then(|uri| {
        let authority = uri.authority()?.as_str();
        let (_, port) = authority.rsplit_once(':')?;
        (!port.ends_with(']')).then(|| port.to_owned())
    });
    if let Some(port) = port {
        ensure!(
            port.parse::<NonZeroU16>().is_ok(),
            "endpoint `{url}` has no usable port: `{port}` is not a number from 1 to 65535"
        );
    }
    Ok(Kind::Endpoint(url))
}

/// True for URLs that lead to this machine, whatever they look like.
fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let Some(authority) = uri
        .authority()
        .filter(|authority| !authority.as_str().contains('@'))
    else {
        return false;
    };
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let is_name = host == "localhost" || host.ends_with(".localhost");
    is_name
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whom the credentials are of.
struct Caller {
    account: AccountId,
    /// `None` where the server names nobody that AWS could have.
    principal: Option<Principal>,
}

/// Why nobody says whom the credentials are of.
enum NoCaller {
    /// No credentials, or no way there: no other call would fare better.
    Unreachable(anyhow::Error),
    /// The answer was a refusal.
    Refused(anyhow::Error),
}

/// Asks whom the credentials are of.
async fn caller(config: &SdkConfig, partition: Partition) -> Result<Caller, NoCaller> {
    let sts = aws_sdk_sts::Client::new(config);
    let identity = match sts.get_caller_identity().send().await {
        Ok(identity) => identity,
        Err(error) if error.as_service_error().is_none() => {
            let error = match without_credentials(config).await {
                Some(why) => anyhow!(
                    "{why}; log in as for AWS's own command line, or name another profile with --profile"
                ),
                None => anyhow!("{}", kms::innermost(&error)),
            };
            return Err(NoCaller::Unreachable(error));
        }
        Err(error) => {
            let (code, message) = kms::reason(&error);
            return Err(NoCaller::Refused(anyhow!("STS: {code}: {message}")));
        }
    };
    let account = identity.account().and_then(|account| account.parse().ok());
    let Some(account) = account else {
        return Err(NoCaller::Refused(anyhow!("STS did not name an account")));
    };
    let arn = identity.arn();
    Ok(Caller {
        account,
        principal: arn.and_then(|arn| Principal::parse(arn, partition).ok()),
    })
}

/// Why there are no credentials, in a line; `None` where there are some.
async fn without_credentials(config: &SdkConfig) -> Option<String> {
    let provider = config.credentials_provider()?;
    let error = provider.provide_credentials().await.err()?;
    let why = kms::innermost(&error);
    let first = why.lines().next().unwrap_or_default();
    Some(first.trim_end_matches(". Attempted:").to_owned())
}
