//! The matrix of one key: a row for each principal or kind of principals, a column for each capability.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::caller::Caller;
use super::cube::{Budget, Cube, rest};
use super::holdings::Teller;
use super::levels::is_named;
use super::mark::{Mark, marks};
use super::shift::Turn;
use super::space::{ACTIONS, CALLERS};
use super::{Exhausted, Undetermined};
use crate::model::{AccountId, Operation, Principal};
use crate::policy::{Capability, KeyContext, Level};

/// A column of the matrix: operations that go by a capability's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The capability.
    pub capability: Capability,
    /// Its operations, as far as no later column has them.
    pub operations: BTreeSet<Operation>,
}

impl Column {
    /// The columns for a kind of key.
    #[must_use]
    pub fn of(key: &KeyContext) -> Vec<Self> {
        Self::among(&[&ANY_KEY[..], &BY_TYPE[..]].concat(), key)
    }

    /// The columns that any key has, for a key whose type is not known.
    #[must_use]
    pub fn of_any_type(key: &KeyContext) -> Vec<Self> {
        Self::among(&ANY_KEY, key)
    }

    fn among(capabilities: &[Capability], key: &KeyContext) -> Vec<Self> {
        let mut columns: Vec<Self> = Vec::new();
        let mut taken = BTreeSet::new();
        for capability in capabilities.iter().rev() {
            let operations = capability.operations(key);
            let operations: BTreeSet<Operation> = operations.difference(&taken).copied().collect();
            taken.extend(&operations);
            if !operations.is_empty() {
                columns.push(Self {
                    capability: *capability,
                    operations,
                });
            }
        }
        columns.reverse();
        columns
    }
}

/// The columns of any key, from the broad to the narrow.
const ANY_KEY: [Capability; 5] = [
    Capability::Administer,
    Capability::Delete,
    Capability::Read,
    Capability::Grant,
    Capability::Describe,
];

/// The columns that depend on the key's type.
const BY_TYPE: [Capability; 12] = [
    Capability::Encrypt,
    Capability::Decrypt,
    Capability::GenerateDataKeys,
    Capability::ReEncrypt,
    Capability::Sign,
    Capability::Verify,
    Capability::Mac,
    Capability::VerifyMac,
    Capability::Agree,
    Capability::Encapsulate,
    Capability::Decapsulate,
    Capability::PublicKey,
];

/// A row of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who, such as `role/app` or `everyone in this account`.
    pub who: String,
    /// True for the unique id that is left of a deleted principal.
    pub is_deleted: bool,
    /// [`Mark::Public`] and [`Mark::CrossAccount`], where they hold.
    pub marks: BTreeSet<Mark>,
    /// A cell for each column.
    pub cells: Vec<Cell>,
}

/// What the principals of a row can do of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What all of them can do with every operation, under no condition.
    pub whole: Level,
    /// What is given beyond that.
    pub more: Vec<Part>,
}

impl Cell {
    fn is_empty(&self) -> bool {
        self.whole == Level::None && self.more.is_empty()
    }
}

/// A part of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How it is given.
    pub level: Level,
    /// To whom of the row; empty where to all.
    pub principals: Vec<String>,
    /// Which operations of the column; empty where all.
    pub operations: Vec<String>,
    /// Under which conditions.
    pub conditions: Vec<String>,
}

/// Callers that share a row.
struct Group {
    /// Where the row stands.
    rank: (Rank, String),
    callers: FixedBitSet,
    is_named: bool,
}

/// The order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Root,
    Home,
    AtHome,
    Account,
    Foreign,
    Service,
    OtherServices,
    OtherAccounts,
    Deleted,
}

impl Teller<'_> {
    pub(super) fn rows(&self, columns: &[Column]) -> Result<Vec<Row>, Undetermined> {
        let mut rows = Vec::new();
        for group in self.groups() {
            let mut cells = Vec::new();
            for column in columns {
                cells.push(self.cell(&group.callers, column)?);
            }
            let (rank, who) = group.rank;
            // Who is named and has nothing is denied something: worth a row.
            if !group.is_named && rank != Rank::Account && cells.iter().all(Cell::is_empty) {
                continue;
            }
            let row = Row {
                who,
                is_deleted: rank == Rank::Deleted,
                marks: self.marks(&group.callers),
                cells,
            };
            rows.push((rank, row));
        }
        let of_others = rows.iter().find(|(rank, _)| *rank == Rank::OtherAccounts);
        let of_others = of_others.map(|(_, row)| row.cells.clone());
        // An account that is written down, and has no more than any other, is any other.
        let is_like_others = |rank: Rank, row: &Row| {
            rank == Rank::Account
                && of_others.as_ref().map_or_else(
                    || row.cells.iter().all(Cell::is_empty),
                    |cells| *cells == row.cells,
                )
        };
        rows.retain(|(rank, row)| !is_like_others(*rank, row));
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// The box of all requests of some callers for some operations.
    fn cube(&self, callers: &FixedBitSet, operations: Option<&FixedBitSet>) -> Cube {
        let mut cube = self.space.all();
        cube.limit(CALLERS, callers);
        if let Some(operations) = operations {
            cube.limit(ACTIONS, operations);
        }
        cube
    }

    /// The marks of a row that its columns do not tell.
    fn marks(&self, callers: &FixedBitSet) -> BTreeSet<Mark> {
        let theirs = self.cube(callers, None);
        let given = self.given.any.0.iter().filter_map(|cube| cube.and(&theirs));
        let all = given.flat_map(|cube| marks(Turn::Gains, self.space, &cube, self.scene));
        all.filter(|mark| matches!(mark, Mark::Public | Mark::CrossAccount))
            .collect()
    }

    fn cell(&self, callers: &FixedBitSet, column: &Column) -> Result<Cell, Exhausted> {
        let is_in = |operation: Operation| column.operations.contains(&operation);
        let operations = self.space.set_of_operations(&is_in);
        let budget = &mut Budget::new();
        let cube = self.possible(self.cube(callers, Some(&operations)), budget)?;
        let mut cell = Cell {
            whole: Level::None,
            more: Vec::new(),
        };
        if cube.is_empty() {
            return Ok(cell);
        }
        for (level, given) in [
            (Level::Direct, &self.given.direct),
            (Level::Delegated, &self.given.any),
        ] {
            let known: Vec<&Cube> = given.0.iter().chain(&self.never).collect();
            if rest(cube.clone(), &known, budget)?.is_none() {
                cell.whole = level;
                break;
            }
            let (parts, _) = self.boxes(level, &cube)?;
            let parts = parts.iter().map(|part| self.part(level, part, &cube));
            cell.more.extend(parts);
        }
        Ok(cell)
    }

    fn part(&self, level: Level, cube: &Cube, of: &Cube) -> Part {
        let is_all = |dim: usize| cube.0.get(dim) == of.0.get(dim);
        let unless_all = |dim, words: Vec<String>| if is_all(dim) { Vec::new() } else { words };
        Part {
            level,
            principals: unless_all(CALLERS, self.phrases.callers(cube)),
            operations: unless_all(ACTIONS, self.phrases.operations(cube)),
            conditions: self.phrases.conditions(cube),
        }
    }

    /// All callers, each in one row.
    fn groups(&self) -> Vec<Group> {
        let mut left = self.space.set_of_callers(&|_| true);
        let mut groups = Vec::new();
        let mut add = |rank, who: String, callers: FixedBitSet, is_named| {
            let mut own = callers;
            own.intersect_with(&left);
            left.difference_with(&own);
            if !own.is_clear() {
                groups.push(Group {
                    rank: (rank, who),
                    callers: own,
                    is_named,
                });
            }
        };
        let account = self.scene.key.place.account;
        let named = || self.space.callers.iter().filter(|caller| caller.is_named);
        let is_session = |caller: &&Caller| matches!(caller.principal, Principal::Session(_));
        // A session has a row of its own; its role's row is about all others.
        let sessions = named().filter(is_session);
        for caller in sessions.chain(named().filter(|caller| !is_session(caller))) {
            let principal = &caller.principal;
            let callers = self.space.set_of_callers(&|one| is_named(principal, one));
            add(self.rank(caller), principal.short(account), callers, true);
        }
        for (rank, who, callers) in self.kinds() {
            add(rank, who, callers, false);
        }
        groups.sort_by(|a, b| a.rank.cmp(&b.rank));
        groups
    }

    fn rank(&self, caller: &Caller) -> Rank {
        match &caller.principal {
            Principal::Service(_) => Rank::Service,
            Principal::Deleted(_) => Rank::Deleted,
            Principal::Anyone
            | Principal::Account(..)
            | Principal::User(_)
            | Principal::Role(_)
            | Principal::Session(_)
            | Principal::Federated(_) => {
                let key = self.scene.key;
                if caller.home == Some((key.partition, key.place.account)) {
                    Rank::AtHome
                } else {
                    Rank::Foreign
                }
            }
        }
    }

    /// The rows for callers that nobody names.
    fn kinds(&self) -> Vec<(Rank, String, FixedBitSet)> {
        let key = self.scene.key;
        let home = Some((key.partition, key.place.account));
        let named = || self.space.callers.iter().filter(|caller| caller.is_named);
        let has = |rank| named().any(|caller| self.rank(caller) == rank);
        let everyone = |has_others: bool| if has_others { "others" } else { "everyone" };
        let set = |is_in: &dyn Fn(&Caller) -> bool| self.space.set_of_callers(is_in);
        let is_root = |caller: &Caller| {
            matches!(caller.principal, Principal::Account(..)) && caller.home == home
        };
        let at_home = format!("{} in this account", everyone(has(Rank::AtHome)));
        let mut kinds = vec![
            (Rank::Root, "the root user".to_owned(), set(&is_root)),
            (Rank::Home, at_home, set(&|caller| caller.home == home)),
        ];
        let is_foreign = |account: &&AccountId| **account != key.place.account;
        for account in self.space.accounts.iter().filter(is_foreign) {
            let is_of = |caller: &Caller| caller.home.is_some_and(|(_, own)| own == *account);
            let who = format!("{} in account {account}", everyone(named().any(is_of)));
            kinds.push((Rank::Account, who, set(&is_of)));
        }
        let services = if has(Rank::Service) {
            "other AWS services"
        } else {
            "every AWS service"
        };
        let is_service = |caller: &Caller| matches!(caller.principal, Principal::Service(_));
        kinds.push((Rank::OtherServices, services.to_owned(), set(&is_service)));
        let who = "everyone in other accounts".to_owned();
        kinds.push((
            Rank::OtherAccounts,
            who,
            set(&|caller| caller.home.is_some()),
        ));
        kinds
    }
}
