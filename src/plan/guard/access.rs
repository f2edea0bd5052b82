//! Guardrails about access: nobody is locked out, and nobody gets in who should not.

use std::collections::BTreeSet;

use super::{Refusal, Rule};
use crate::access::{
    Example, Prospect, Rights, Scene, Stranger, Trust, Undetermined, administrators, ask, beyond,
    changes_of_policy, strangers,
};
use crate::model::Principal;
use crate::plan::Limits;
use crate::policy::{Document, Ground, Source};
use crate::state::Guardrails;

/// A change of access, and what it is measured by.
pub(in crate::plan) struct Check<'a> {
    pub(in crate::plan) before: Rights<'a>,
    pub(in crate::plan) after: Rights<'a>,
    pub(in crate::plan) scene: Scene<'a>,
    pub(in crate::plan) guardrails: &'a Guardrails,
    /// Who makes the change, where that is known.
    pub(in crate::plan) caller: Option<&'a Principal>,
    pub(in crate::plan) limits: &'a Limits,
}

impl Check<'_> {
    /// Why a change of the key policy, and of grants along with it, is refused.
    pub(in crate::plan) fn of_policy(&self) -> Vec<Refusal> {
        let mut refusals = self.or_undetermined(self.lockout());
        refusals.extend(self.of_grants());
        refusals.dedup();
        refusals
    }

    /// Why a change of grants is refused.
    pub(in crate::plan) fn of_grants(&self) -> Vec<Refusal> {
        self.or_undetermined(self.entry())
    }

    fn or_undetermined(&self, found: Result<Vec<Refusal>, Undetermined>) -> Vec<Refusal> {
        match found {
            Ok(refusals) => refusals,
            Err(_) if self.limits.allow.undetermined => Vec::new(),
            Err(why) => vec![Refusal::new(
                Rule::Undetermined,
                format!("whom this gives access cannot be told: {why}"),
                "write the policy so that it can, or allow it with --allow-undetermined",
            )],
        }
    }

    fn lockout(&self) -> Result<Vec<Refusal>, Undetermined> {
        if self.limits.allow.lockout {
            return Ok(Vec::new());
        }
        let left = administrators(self.after, self.limits.now, &self.scene)?;
        let refusal = match self.too_few_administrators(&left)? {
            Some(refusal) => Some(refusal),
            None => self.caller_leaves(&left)?,
        };
        Ok(refusal.into_iter().collect())
    }

    fn entry(&self) -> Result<Vec<Refusal>, Undetermined> {
        let mut refusals = self.strangers()?;
        refusals.extend(self.above_ceiling()?);
        Ok(refusals)
    }

    fn too_few_administrators(
        &self,
        left: &BTreeSet<Principal>,
    ) -> Result<Option<Refusal>, Undetermined> {
        let wanted = usize::from(self.guardrails.minimum_administrators);
        if left.len() >= wanted {
            return Ok(None);
        }
        let had = administrators(self.before, self.limits.now, &self.scene)?;
        let list = |all: &mut dyn Iterator<Item = &Principal>| {
            all.map(|one| self.name(one)).collect::<Vec<_>>()
        };
        let mut message = match list(&mut left.iter()).as_slice() {
            [] => "nobody could call `PutKeyPolicy` any more".to_owned(),
            some => format!(
                "only {} could call `PutKeyPolicy`, and {wanted} principals must be able to",
                some.join(" and ")
            ),
        };
        let gone = list(&mut had.difference(left));
        if !gone.is_empty() {
            message = format!("{message}; {} could until now", gone.join(", "));
        }
        if let Some(denial) = self.denial_of(had.difference(left).next())? {
            message = format!("{message}, and {denial} takes it away");
        }
        let help =
            "name administrators, or leave `iam_policies` on; --allow-lockout does it all the same";
        Ok(Some(Refusal::new(Rule::Lockout, message, help)))
    }

    /// The statement that denies somebody to change the policy; the account's root user where nobody is named.
    fn denial_of(&self, who: Option<&Principal>) -> Result<Option<String>, Undetermined> {
        let key = self.scene.key;
        let root = Principal::Account(key.partition, key.place.account);
        let who = who.unwrap_or(&root).clone();
        let queries = [changes_of_policy(who, self.limits.now)];
        let prospects = ask(self.after, &queries, &self.scene)?;
        let refused = prospects.into_iter().next().and_then(|one| one.refused);
        Ok(refused.and_then(|example| grounds(&example)))
    }

    fn caller_leaves(&self, left: &BTreeSet<Principal>) -> Result<Option<Refusal>, Undetermined> {
        let Some(caller) = self.caller.filter(|_| !self.guardrails.caller_may_leave) else {
            return Ok(None);
        };
        if left.contains(caller) {
            return Ok(None);
        }
        let queries = [changes_of_policy(caller.clone(), self.limits.now)];
        let prospects = ask(self.after, &queries, &self.scene)?;
        // Others may act through IAM policies or for a while; a root user is among those who are left, or is not.
        let is_root = matches!(caller, Principal::Account(..));
        let can = |prospect: &Prospect| {
            !is_root && (prospect.allowed.is_some() || prospect.left_to_iam.is_some())
        };
        if prospects.iter().all(can) {
            return Ok(None);
        }
        let who = self.name(caller);
        let refused = prospects.iter().find_map(|one| one.refused.as_ref());
        let why = match refused.and_then(grounds) {
            Some(statement) => format!("{statement} denies it"),
            None => "no statement allows it".to_owned(),
        };
        let message =
            format!("{who}, who makes the change, could not call `PutKeyPolicy` afterwards: {why}");
        let help =
            "make it an administrator, or set `caller_may_leave` among the account's guardrails";
        Ok(Some(Refusal::new(Rule::Lockout, message, help)))
    }

    fn strangers(&self) -> Result<Vec<Refusal>, Undetermined> {
        let Guardrails {
            allowed_accounts,
            allowed_organizations,
            public,
            ..
        } = self.guardrails;
        let trust = Trust {
            accounts: allowed_accounts,
            organizations: allowed_organizations,
        };
        let found = strangers(self.before, self.after, &trust, &self.scene)?;
        let refusal = |(stranger, example): (Stranger, Example)| {
            let gains = self.gains(&example);
            let (rule, help) = match &stranger {
                Stranger::Anyone if *public => return None,
                Stranger::Anyone => (
                    Rule::Public,
                    "name the principals, or add a condition such as `aws:PrincipalOrgID`; `public: true` among the \
                     account's guardrails allows it"
                        .to_owned(),
                ),
                Stranger::Organization(id) => (
                    Rule::Foreign,
                    format!("list `{id}` under `allowed_organizations` of the account's guardrails"),
                ),
                Stranger::Account(id) => (
                    Rule::Foreign,
                    format!("list `{id}` under `allowed_accounts` of the account's guardrails"),
                ),
            };
            let message = match &stranger {
                Stranger::Anyone => format!("anyone could get in: {gains}"),
                Stranger::Organization(_) | Stranger::Account(_) => {
                    format!("{stranger} is not listed and gains access: {gains}")
                }
            };
            Some(Refusal::new(rule, message, help))
        };
        Ok(found.into_iter().filter_map(refusal).collect())
    }

    fn above_ceiling(&self) -> Result<Option<Refusal>, Undetermined> {
        let Some(ceiling) = &self.guardrails.ceiling else {
            return Ok(None);
        };
        let ceiling: &Document = ceiling;
        let beyond = beyond(self.before, self.after, ceiling, &self.scene)?;
        Ok(beyond.map(|example| {
            let message = format!("goes beyond the ceiling: {}", self.gains(&example));
            let help = "take it back, or raise the `ceiling` among the account's guardrails";
            Refusal::new(Rule::Ceiling, message, help)
        }))
    }

    fn name(&self, principal: &Principal) -> String {
        let home = self.scene.key.place.account;
        if principal.account() == Some(home) && matches!(principal, Principal::Account(..)) {
            "the root user".to_owned()
        } else {
            principal.short(home)
        }
    }

    /// Who gains what by which statement.
    fn gains(&self, example: &Example) -> String {
        let who = self.name(&example.principal);
        let by = grounds(example).map_or_else(String::new, |by| format!(" by {by}"));
        format!("{who} can call `{}`{by}", example.action)
    }
}

/// The statements and grants that decide a request, in words.
fn grounds(example: &Example) -> Option<String> {
    let words = |ground: &Ground| match ground {
        Ground::Grant(id) => format!("grant {id}"),
        Ground::Statement { source, index, sid } => {
            let of = match source {
                Source::Key => String::new(),
                Source::Identity(_) | Source::Boundary | Source::Session(_) => {
                    format!(" of {source}")
                }
            };
            let sid = sid
                .as_ref()
                .map_or_else(String::new, |sid| format!(" `{sid}`"));
            format!("Statement[{index}]{sid}{of}")
        }
    };
    let all: BTreeSet<String> = example.by.iter().map(words).collect();
    (!all.is_empty()).then(|| all.into_iter().collect::<Vec<_>>().join(" and "))
}
