//! What gives access to a key, on one side or several, read into one space: the sets of requests at each level.

use super::cube::{Budget, Cube};
use super::levels::{Iam, Levels, Setting};
use super::query::Query;
use super::requests::Requests;
use super::rule::Rule;
use super::space::Space;
use super::{Exhausted, Rights, Scene, Tables, Undetermined};
use crate::model::Principal;
use crate::policy::reading::Exemption;
use crate::policy::{Actions, Document, Effect, Level, Principals, Statement};

/// All rules that have a say about a key, read for comparison.
#[derive(Debug)]
pub struct Rules<'a> {
    scene: Scene<'a>,
    sides: Vec<Vec<Rule<'a>>>,
    iam: Iam<'a>,
    /// Whether the answer may depend on how `NotPrincipal` is read.
    has_exemption: bool,
    /// What is asked about, as rules that give nothing.
    queries: Vec<Rule<'a>>,
}

impl<'a> Rules<'a> {
    /// Reads what gives access, on one side or several, and what IAM is known to say.
    pub fn read(sides: &[Rights<'a>], scene: &Scene<'a>) -> Result<Self, Undetermined> {
        for side in sides {
            check_size(side.policy)?;
        }
        let rules = |rights: &Rights<'a>| Rule::of_rights(*rights, scene.key);
        Ok(Self {
            scene: *scene,
            sides: sides.iter().map(rules).collect::<Result<_, _>>()?,
            iam: Iam::of(scene.identities, scene.key)?,
            has_exemption: sides.iter().any(|side| has_exemption(side.policy)),
            queries: Vec::new(),
        })
    }

    /// Tells apart what queries ask about.
    pub fn with_queries(mut self, queries: &'a [Query]) -> Result<Self, Undetermined> {
        let rules = queries.iter().map(Rule::of_query);
        self.queries = rules.collect::<Result<_, _>>()?;
        Ok(self)
    }

    fn all(&self) -> impl Iterator<Item = &Rule<'a>> {
        let sides = self.sides.iter().flatten();
        sides.chain(self.iam.rules()).chain(&self.queries)
    }

    /// Every principal that is named.
    pub(super) fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.all()
            .flat_map(Rule::principals)
            .chain(self.iam.principals())
    }

    /// Looks at everything under each reading of `NotPrincipal` that makes a difference.
    pub(super) fn each_reading(
        &self,
        mut look: impl FnMut(&Survey<'_>, Exemption) -> Result<(), Undetermined>,
    ) -> Result<(), Undetermined> {
        let mut survey = self.survey()?;
        look(&survey, Exemption::WholeChain)?;
        if self.has_exemption {
            survey.read_under(Exemption::AnyLink)?;
            look(&survey, Exemption::AnyLink)?;
        }
        Ok(())
    }

    /// Lays out all requests that the rules tell apart.
    pub fn survey(&self) -> Result<Survey<'_>, Undetermined> {
        let rules: Vec<&Rule<'_>> = self.all().collect();
        let space = Space::of(&rules, self.iam.principals(), &self.scene)?;
        let mut survey = Survey {
            rules: self,
            space,
            sides: Vec::new(),
        };
        survey.read_under(Exemption::WholeChain)?;
        Ok(survey)
    }
}

/// The most bytes of a policy; KMS takes half of them.
const MAX_BYTES: usize = 65_536;

/// Fails for a policy that is too large for anybody to put; principals count as the shortest ARNs of roles.
fn check_size(document: &Document) -> Result<(), Exhausted> {
    let size = |statement: &Statement| {
        let (Principals::Any(principals) | Principals::Not(principals)) = &statement.principals;
        let (Actions::Any(actions) | Actions::Not(actions)) = &statement.actions;
        let actions = actions.iter().map(|action| action.as_str().len());
        let values = statement
            .conditions
            .iter()
            .flat_map(|one| one.values.iter());
        let bytes: usize = actions.chain(values.map(String::len)).sum();
        bytes + principals.len() * "arn:aws:iam::111122223333:role/a".len()
    };
    let size: usize = document.statements.iter().map(size).sum();
    if size > MAX_BYTES {
        return Err(Exhausted::Size);
    }
    Ok(())
}

/// True when a statement denies all but some.
fn has_exemption(document: &Document) -> bool {
    document.statements.iter().any(|statement| {
        statement.effect == Effect::Deny && matches!(statement.principals, Principals::Not(_))
    })
}

/// The space of requests, and what each side allows in it.
#[derive(Debug)]
pub struct Survey<'r> {
    rules: &'r Rules<'r>,
    pub(super) space: Space<'r>,
    pub(super) sides: Vec<Levels>,
}

impl Survey<'_> {
    /// Reads `NotPrincipal` in another way.
    pub(super) fn read_under(&mut self, exemption: Exemption) -> Result<(), Exhausted> {
        let setting = Setting {
            space: &self.space,
            scene: &self.rules.scene,
            iam: &self.rules.iam,
            exemption,
        };
        let budget = &mut Budget::new();
        let sides = self.rules.sides.iter();
        self.sides = sides
            .map(|rules| setting.levels(rules, budget))
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The requests that a query asks about; queries are numbered from 0.
    pub fn named(&self, query: usize) -> Result<Requests, Exhausted> {
        let rule = self.rules.queries.get(query);
        let named = rule.map(|rule| self.space.named(rule));
        let scene = &self.rules.scene;
        let impossible = match scene.tables {
            Tables::Ignored => Vec::new(),
            Tables::Heard => self.space.impossible(scene.key),
        };
        let impossible: Vec<&Cube> = impossible.iter().collect();
        Requests::of(&named, &impossible, &mut Budget::new())
    }

    /// The requests that a side gives a level or more; sides are numbered from 0.
    pub fn at_least(&self, side: usize, level: Level) -> Result<Requests, Exhausted> {
        let all = self.space.all();
        let Some(levels) = self.sides.get(side) else {
            return Ok(Requests::default());
        };
        let denied: Vec<&Cube> = levels.denied.iter().collect();
        let budget = &mut Budget::new();
        match level {
            Level::Deny => Requests::of([&all], &[], budget),
            Level::None => Requests::of([&all], &denied, budget),
            Level::Delegated => Requests::of(&levels.delegated, &denied, budget),
            Level::Direct => Requests::of(&levels.direct, &denied, budget),
        }
    }
}
