//! One key in one place: its own fields, the account's defaults below them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Site, grant, insert_grant, policy};
use crate::manifest::fault::{Fault, Faults};
use crate::manifest::fields::{Field, Mapping as _, not_yet};
use crate::manifest::typed::{DeletionSetting, KeyFields, KeyStateSetting, RotationSetting};
use crate::model::{AliasName, KeyName, KeySpec, KeyType, Origin, RotationPeriod, TagKey, Tags};
use crate::state::{Deletion, DesiredKey, Rotation};

/// AWS's limit on a key's tags.
const MAX_TAGS: usize = 50;
/// AWS's limit on a description, in characters.
const MAX_DESCRIPTION: usize = 8192;

/// A key's fields with the account's defaults below them.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    pub(super) own: &'a KeyFields,
    pub(super) defaults: Option<&'a KeyFields>,
}

impl<'a> Settings<'a> {
    /// The key's own field, or the default where the key has none.
    pub(super) fn pick<T>(&self, field: impl Fn(&'a KeyFields) -> &'a Field<T>) -> &'a Field<T> {
        let own = field(self.own);
        match self.defaults {
            Some(defaults) if own.is_absent() => field(defaults),
            Some(_) | None => own,
        }
    }
}

/// Resolves a key; `None` when its name or type could not be read.
pub(super) fn resolve<'a>(
    site: Site<'a>,
    own: &'a KeyFields,
    faults: &mut Faults,
) -> Option<DesiredKey> {
    let settings = Settings {
        own,
        defaults: site.account.defaults,
    };
    let name = own.name.given()?;
    let origin = origin(settings, faults)?;
    let key_type = key_type(settings, faults)?;
    Some(DesiredKey {
        name: name.value.clone(),
        location: site.sources.locate(name.span),
        id: own.id.value().cloned(),
        formerly: former_names(settings),
        aliases: aliases(settings, &name.value),
        key_type,
        origin,
        description: description(settings, faults),
        enabled: settings
            .pick(|key| &key.enabled)
            .value()
            .copied()
            .unwrap_or(true),
        rotation: rotation(settings, key_type, origin, faults),
        rotations_on_demand: rotations_on_demand(settings, key_type, faults),
        tags: tags(site, settings, &name.value, faults),
        policy: Arc::new(policy::resolve(site, settings, key_type, origin, faults)),
        grants: grants(site, settings, key_type, faults),
        unmanaged_grants: settings
            .pick(|key| &key.unmanaged_grants)
            .value()
            .copied()
            .unwrap_or_default(),
        deletion: deletion(settings, faults),
    })
}

fn origin(settings: Settings<'_>, faults: &mut Faults) -> Option<Origin> {
    match settings.pick(|key| &key.origin) {
        Field::Absent => Some(Origin::AwsKms),
        Field::Wrong => None,
        Field::Given(given) => match given.value {
            origin @ (Origin::AwsKms | Origin::External) => Some(origin),
            origin @ (Origin::AwsCloudHsm | Origin::ExternalKeyStore) => {
                faults.push(not_yet(&format!("`origin: {origin}`"), given.span));
                None
            }
        },
    }
}

fn key_type(settings: Settings<'_>, faults: &mut Faults) -> Option<KeyType> {
    let spec_field = settings.pick(|key| &key.spec);
    let usage_field = settings.pick(|key| &key.usage);
    if spec_field.is_wrong() || usage_field.is_wrong() {
        return None;
    }
    let spec = spec_field
        .value()
        .copied()
        .unwrap_or(KeySpec::SymmetricDefault);
    if let Some(usage) = usage_field.given() {
        return match KeyType::new(spec, usage.value) {
            Ok(key_type) => Some(key_type),
            Err(malformed) => {
                faults.push(Fault::malformed(
                    "usage-not-for-spec",
                    malformed,
                    usage.span,
                ));
                None
            }
        };
    }
    match spec.usages() {
        [usage] => Some(KeyType {
            spec,
            usage: *usage,
        }),
        usages => {
            let span = spec_field
                .given()
                .map_or(settings.own.span(), |given| given.span);
            let names: Vec<&str> = usages.iter().map(|usage| usage.as_str()).collect();
            let message = format!("{spec} keys need `usage`, which can never be changed");
            let fault = Fault::error("missing-field", message, span);
            faults.push(fault.help(format!("write `usage: {}`", names.join("` or `usage: "))));
            None
        }
    }
}

fn former_names(settings: Settings<'_>) -> Vec<KeyName> {
    let names = settings.own.formerly.value().into_iter().flatten();
    names.map(|name| name.value.clone()).collect()
}

fn aliases(settings: Settings<'_>, name: &KeyName) -> BTreeSet<AliasName> {
    let more = settings.own.aliases.value().into_iter().flatten();
    std::iter::once(name.alias().clone())
        .chain(more.map(|alias| alias.value.clone()))
        .collect()
}

fn description(settings: Settings<'_>, faults: &mut Faults) -> String {
    let Some(given) = settings.pick(|key| &key.description).given() else {
        return String::new();
    };
    let length = given.value.0.chars().count();
    if length > MAX_DESCRIPTION {
        let message = format!("a description of {length} characters is too long");
        let fault = Fault::error("out-of-range", message, given.span);
        faults.push(fault.help(format!("KMS takes at most {MAX_DESCRIPTION} characters")));
    }
    given.value.0.clone()
}

fn rotation(
    settings: Settings<'_>,
    key_type: KeyType,
    origin: Origin,
    faults: &mut Faults,
) -> Option<Rotation> {
    let field = settings.pick(|key| &key.rotation);
    if !key_type.rotates(origin) {
        let asked = settings.own.rotation.given();
        if let Some(given) = asked.filter(|given| !matches!(given.value, RotationSetting::Off)) {
            let message = format!(
                "{} keys with the origin {origin} cannot rotate by themselves",
                key_type.spec
            );
            let fault = Fault::error("cannot-rotate", message, given.span);
            let help =
                "KMS rotates symmetric encryption keys whose material it made; remove `rotation`";
            faults.push(fault.help(help));
        }
        return None;
    }
    let period = match field.given() {
        None => RotationPeriod::DEFAULT,
        Some(given) => match given.value {
            RotationSetting::Off => return Some(Rotation::Off),
            RotationSetting::On => RotationPeriod::DEFAULT,
            RotationSetting::Every(days) => match RotationPeriod::from_days(days.0) {
                Ok(period) => period,
                Err(malformed) => {
                    faults.push(Fault::malformed("out-of-range", malformed, given.span));
                    return None;
                }
            },
        },
    };
    Some(Rotation::Every(period))
}

fn rotations_on_demand(
    settings: Settings<'_>,
    key_type: KeyType,
    faults: &mut Faults,
) -> Option<u32> {
    if key_type.is_symmetric() {
        let field = settings.pick(|key| &key.rotations_on_demand);
        return field.value().map(|count| count.0);
    }
    if let Some(given) = settings.own.rotations_on_demand.given() {
        let message = format!("{} keys cannot be rotated", key_type.spec);
        let fault = Fault::error("cannot-rotate", message, given.span);
        faults.push(fault.help("KMS rotates symmetric encryption keys only"));
    }
    None
}

fn tags(site: Site<'_>, settings: Settings<'_>, name: &KeyName, faults: &mut Faults) -> Tags {
    let mut tags = Tags::new();
    let below = settings.defaults.map(|defaults| &defaults.tags);
    for field in below.into_iter().chain([&settings.own.tags]) {
        for (key, value) in field.value().into_iter().flat_map(|pairs| &pairs.0) {
            if key.value.as_str().starts_with("keywright:") {
                let message = format!("the tag `{}` is keywright's own", key.value);
                let fault = Fault::error("reserved-tag", message, key.span);
                faults.push(fault.help(format!(
                    "`{}` and `{}` prove whose key it is; choose another prefix",
                    TagKey::KEY,
                    TagKey::SCOPE
                )));
                continue;
            }
            tags.insert(key.value.clone(), value.value.clone());
        }
    }
    tags.extend(site.account.scope.ownership(name));
    if tags.len() > MAX_TAGS {
        let given = settings.own.tags.given();
        let span = given.map_or(settings.own.span(), |given| given.key);
        let message = format!(
            "with keywright's own two, the key would have {} tags",
            tags.len()
        );
        let fault = Fault::error("too-many-tags", message, span);
        faults.push(fault.help(format!("KMS takes at most {MAX_TAGS}")));
    }
    tags
}

fn grants(
    site: Site<'_>,
    settings: Settings<'_>,
    key_type: KeyType,
    faults: &mut Faults,
) -> BTreeMap<crate::model::GrantName, crate::state::DesiredGrant> {
    let mut grants = BTreeMap::new();
    for nested in settings
        .pick(|key| &key.grants)
        .value()
        .into_iter()
        .flatten()
    {
        let fields = &nested.value.0;
        if let Some(grant) = grant::resolve(site, fields, Some(key_type), faults) {
            insert_grant(&mut grants, grant, fields, faults);
        }
    }
    grants
}

fn deletion(settings: Settings<'_>, faults: &mut Faults) -> Option<Deletion> {
    let deletion = settings.pick(|key| &key.deletion);
    let scheduled = match deletion.value() {
        Some(DeletionSetting::Schedule(schedule)) => {
            let days = schedule.schedule.given();
            if let Some(days) = days.filter(|days| !(7..=30).contains(&days.value.0)) {
                let message = format!("a deletion after {} days is out of range", days.value.0);
                let fault = Fault::error("out-of-range", message, days.span);
                faults.push(fault.help("KMS waits for 7 to 30 days"));
            }
            let reason = schedule.reason.value();
            days.zip(reason).map(|(days, reason)| Deletion {
                window_days: i32::try_from(days.value.0).unwrap_or(30),
                reason: reason.0.clone(),
            })
        }
        Some(DeletionSetting::Protected) | None => None,
    };
    let state = settings.pick(|key| &key.state).given();
    let state = state.filter(|state| state.value == KeyStateSetting::PendingDeletion)?;
    if scheduled.is_none() && !deletion.is_wrong() {
        let message = "the key is to be deleted, but it is protected";
        let fault = Fault::error("protected-key", message, state.span);
        faults.push(fault.help("write `deletion: {schedule: 30d, reason: …}` next to it"));
    }
    scheduled
}
