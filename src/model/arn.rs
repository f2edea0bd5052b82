//! Amazon Resource Names.

use std::fmt;
use std::str::FromStr;

use super::{AccountId, KeyId, Malformed, Partition, Place, Region};

/// An ARN of any service: `arn:partition:service:region:account:resource`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: String,
    /// Byte offsets of the five colons.
    colons: [u16; 5],
}

impl Arn {
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition's name, such as `aws`.
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The service, such as `iam`.
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The Region; empty for global services.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account; empty where the service has none in its ARNs.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// All after the fifth colon.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    fn part(&self, index: usize) -> &str {
        let at = |i: usize| {
            self.colons
                .get(i)
                .map_or(self.text.len(), |c| usize::from(*c))
        };
        let start = index.checked_sub(1).map_or(0, |before| at(before) + 1);
        self.text.get(start..at(index)).unwrap_or_default()
    }
}

impl FromStr for Arn {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = |why: &str| {
            Malformed::new(format!("`{text}` is not an ARN: {why}"))
                .with_help("an ARN reads `arn:partition:service:region:account:resource`")
        };
        if text.len() > 2048 {
            return Err(Malformed::new("an ARN has at most 2048 characters"));
        }
        if !text.starts_with("arn:") {
            return Err(wrong("it does not start with `arn:`"));
        }
        let mut colons = [0_u16; 5];
        let mut found = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b':')
            .map(|(i, _)| i);
        for slot in &mut colons {
            let colon = found
                .next()
                .ok_or_else(|| wrong("it has fewer than six parts"))?;
            *slot = u16::try_from(colon).map_err(|_| wrong("it is too long"))?;
        }
        let arn = Self {
            text: text.to_owned(),
            colons,
        };
        if arn.partition().is_empty() || arn.service().is_empty() || arn.resource().is_empty() {
            return Err(wrong(
                "its partition, service and resource must not be empty",
            ));
        }
        Ok(arn)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The ARN of one KMS key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyArn {
    /// Partition of the Region.
    pub partition: Partition,
    /// Account and Region that hold the key.
    pub place: Place,
    /// The key's id.
    pub id: KeyId,
}

impl KeyArn {
    /// The ARN of a key in a place.
    #[must_use]
    pub fn new(place: Place, id: KeyId) -> Self {
        Self {
            partition: place.partition(),
            place,
            id,
        }
    }

    /// A stand-in for the ARN of a key that is not there yet.
    #[must_use]
    pub fn of_new_key(place: Place) -> Self {
        Self::new(place, KeyId::unknown())
    }
}

impl FromStr for KeyArn {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let arn: Arn = text.parse()?;
        let id = arn
            .resource()
            .strip_prefix("key/")
            .filter(|_| arn.service() == "kms")
            .ok_or_else(|| Malformed::new(format!("`{text}` is not the ARN of a KMS key")))?;
        Ok(Self {
            partition: arn.partition().parse()?,
            place: Place {
                account: arn.account().parse::<AccountId>()?,
                region: arn.region().parse::<Region>()?,
            },
            id: id.parse()?,
        })
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            place,
            id,
        } = self;
        write!(
            f,
            "arn:{partition}:kms:{}:{}:key/{id}",
            place.region, place.account
        )
    }
}

impl fmt::Debug for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
