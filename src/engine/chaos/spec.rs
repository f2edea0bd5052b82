//! What chaos is asked for, as people write it: `seed=7,order,lost=1%,reads=2s`.

use std::str::FromStr;
use std::time::Duration;

/// Which misbehaviour there is to be; by default none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chaos {
    /// What all chance comes from.
    pub seed: u64,
    /// Lists of key policies come in any order.
    pub order: bool,
    /// Calls beyond this part, in percent, of AWS's quotas are throttled.
    pub quotas: Option<u32>,
    /// How often a call fails and nothing happens, from 0 to 1.
    pub errors: f64,
    /// How often all is done and no answer comes, from 0 to 1.
    pub lost: f64,
    /// How late answers come at most.
    pub slow: Duration,
    /// How old what `Describe…`, `Get…` and `List…` see may be.
    pub reads: Duration,
    /// How late aliases lead to their keys.
    pub aliases: Duration,
    /// How late grants are good without their token.
    pub grants: Duration,
    /// How late principals and their policies are known.
    pub principals: Duration,
    /// Key policies and grants name deleted principals by their unique ids.
    pub decay: bool,
}

/// Why a text asks for no chaos that there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChaosError {
    /// Not a word of ours.
    #[error(
        "`{0}` is no chaos; there are `seed`, `order`, `quotas`, `errors`, `lost`, `slow`, `reads`, `aliases`, \
         `grants`, `principals` and `decay`"
    )]
    Unknown(String),
    /// A value of the wrong kind.
    #[error("`{name}={value}` needs {wanted}")]
    Value {
        /// The word.
        name: String,
        /// What was given.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
}

impl FromStr for Chaos {
    type Err = ChaosError;

    fn from_str(text: &str) -> Result<Self, ChaosError> {
        let mut chaos = Self::default();
        let words = text.split(',').map(str::trim);
        for word in words.filter(|word| !word.is_empty()) {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let wrong = |wanted| ChaosError::Value {
                name: name.to_owned(),
                value: value.to_owned(),
                wanted,
            };
            let rate = || rate(value).ok_or_else(|| wrong("a rate from `0%` to `100%`"));
            let time = || time(value).ok_or_else(|| wrong("a time such as `250ms` or `5s`"));
            let bare = || match value {
                "" => Ok(true),
                _ => Err(wrong("no value")),
            };
            match name {
                "seed" => chaos.seed = value.parse().map_err(|_| wrong("a whole number"))?,
                "order" => chaos.order = bare()?,
                "quotas" => {
                    let percent = if value.is_empty() { "100%" } else { value };
                    let percent = percent.strip_suffix('%').and_then(|it| it.parse().ok());
                    chaos.quotas = Some(percent.ok_or_else(|| wrong("a part such as `50%`"))?);
                }
                "errors" => chaos.errors = rate()?,
                "lost" => chaos.lost = rate()?,
                "slow" => chaos.slow = time()?,
                "reads" => chaos.reads = time()?,
                "aliases" => chaos.aliases = time()?,
                "grants" => chaos.grants = time()?,
                "principals" => chaos.principals = time()?,
                "decay" => chaos.decay = bare()?,
                _ => return Err(ChaosError::Unknown(name.to_owned())),
            }
        }
        Ok(chaos)
    }
}

fn rate(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

fn time(text: &str) -> Option<Duration> {
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1000),
        (None, None) => return None,
    };
    let number: u64 = number.parse().ok()?;
    // An hour is longer than anything at AWS takes.
    let time = number.checked_mul(unit).filter(|time| *time <= 3_600_000)?;
    Some(Duration::from_millis(time))
}
