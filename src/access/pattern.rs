//! Patterns over words: the regular languages that policies can speak of.

/// Some characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
    /// This one.
    Char(char),
    /// This one, in either case.
    AnyCase(char),
    /// `0` to `9`.
    Digit,
    /// Lower-case letters.
    Letter,
    /// What IAM names are made of.
    Name,
    /// What IAM names and paths are made of.
    Path,
    /// All but the colon, which separates the parts of an ARN.
    NoColon,
    /// Every character.
    Any,
}

impl Class {
    pub(super) fn has(self, c: char) -> bool {
        match self {
            Self::Char(own) => c == own,
            Self::AnyCase(own) if c.is_ascii() && own.is_ascii() => c.eq_ignore_ascii_case(&own),
            Self::AnyCase(own) => c.to_lowercase().eq(own.to_lowercase()),
            Self::Digit => c.is_ascii_digit(),
            Self::Letter => c.is_ascii_lowercase(),
            Self::Name => {
                c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | ',' | '.' | '@' | '_' | '-')
            }
            Self::Path => c == '/' || Self::Name.has(c),
            Self::NoColon => c != ':',
            Self::Any => true,
        }
    }
}

/// One step through a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    /// One character.
    One(Class),
    /// Any number of characters, also none.
    Many(Class),
}

/// A pattern: a word fits when the steps lead through all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pattern(Vec<Step>);

impl Pattern {
    /// Exactly this text.
    pub(super) fn literal(text: &str) -> Self {
        Self::default().text(text)
    }

    /// This text in any case.
    pub(super) fn any_case(text: &str) -> Self {
        let class = |c: char| {
            if c.to_lowercase().eq(c.to_uppercase()) {
                Class::Char(c)
            } else {
                Class::AnyCase(c)
            }
        };
        Self(text.chars().map(|c| Step::One(class(c))).collect())
    }

    /// A glob whose wildcards stand for characters of a class.
    pub(super) fn glob(text: &[Sign], wild: Class) -> Self {
        Self::default().signs(text, wild)
    }

    /// A glob over ARNs, whose wildcards stay within one of the first five parts; none where it has fewer than six.
    pub(super) fn arn(text: &[Sign]) -> Option<Self> {
        let parts: Vec<&[Sign]> = text.splitn(6, |sign| *sign == Sign::Char(':')).collect();
        let (last, first) = parts.split_last().filter(|_| parts.len() == 6)?;
        let mut pattern = Self::default();
        for part in first {
            pattern = pattern.signs(part, Class::NoColon).text(":");
        }
        Some(pattern.signs(last, Class::Any))
    }

    /// The pattern followed by a text.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.0
            .extend(text.chars().map(|c| Step::One(Class::Char(c))));
        self
    }

    /// The pattern followed by so many characters of a class.
    pub(super) fn times(mut self, count: usize, class: Class) -> Self {
        self.0.extend(std::iter::repeat_n(Step::One(class), count));
        self
    }

    /// The pattern followed by any number of characters of a class.
    pub(super) fn many(mut self, class: Class) -> Self {
        self.0.push(Step::Many(class));
        self
    }

    /// The pattern followed by another.
    pub(super) fn then(mut self, other: &Self) -> Self {
        self.0.extend(&other.0);
        self
    }

    /// The pattern followed by a glob.
    pub(super) fn signs(mut self, text: &[Sign], wild: Class) -> Self {
        for sign in text {
            self.0.push(match sign {
                Sign::Char(c) => Step::One(Class::Char(*c)),
                Sign::One => Step::One(wild),
                Sign::Many => Step::Many(wild),
            });
        }
        self.0.dedup_by(|a, b| a == b && matches!(a, Step::Many(_)));
        self
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The only word that fits, where there is just one.
    pub(super) fn as_literal(&self) -> Option<String> {
        let char = |step: &Step| match step {
            Step::One(Class::Char(c)) => Some(*c),
            Step::One(_) | Step::Many(_) => None,
        };
        self.0.iter().map(char).collect()
    }

    /// The text that every word starts with that fits, where nothing else is asked of it.
    pub(super) fn as_prefix(&self) -> Option<String> {
        match self.0.split_last() {
            Some((Step::Many(Class::Any), rest)) => Self(rest.to_vec()).as_literal(),
            Some(_) | None => None,
        }
    }

    /// True when the whole word fits.
    pub(super) fn matches(&self, word: &str) -> bool {
        self.walk(word).last() == Some(&self.0.len())
    }

    /// Words that fit and start with a text, the shortest first; none when there is no such word.
    pub(super) fn complete(&self, start: &str) -> impl Iterator<Item = String> {
        let rest = |at: usize| self.0.get(at..).unwrap_or_default();
        let here = self.walk(start).into_iter().rev();
        let fillers = ["", "x", "example"];
        here.flat_map(move |at| fillers.map(|filler| format!("{start}{}", spell(rest(at), filler))))
            .filter(|word| self.matches(word))
    }

    /// Where a word can lead: the steps that may be next, in order; the place behind the last one is the end.
    fn walk(&self, word: &str) -> Vec<usize> {
        let mut here = Vec::with_capacity(4);
        let mut next = Vec::with_capacity(4);
        self.reach(0, &mut here);
        for c in word.chars() {
            next.clear();
            for at in here.iter().copied() {
                match self.0.get(at) {
                    Some(Step::One(class)) if class.has(c) => self.reach(at + 1, &mut next),
                    Some(Step::Many(class)) if class.has(c) => self.reach(at, &mut next),
                    Some(_) | None => {}
                }
            }
            std::mem::swap(&mut here, &mut next);
            if here.is_empty() {
                break;
            }
        }
        here
    }

    /// Adds a place, and those behind runs that may be empty.
    ///
    /// Places come in order: what is not behind the last one is there already.
    fn reach(&self, mut at: usize, places: &mut Vec<usize>) {
        loop {
            if places.last().is_none_or(|last| *last < at) {
                places.push(at);
            }
            match self.0.get(at) {
                Some(Step::Many(_)) => at += 1,
                Some(Step::One(_)) | None => return,
            }
        }
    }

    /// A word that fits, which a person can read: `*` is left out or replaced by a filler.
    pub(super) fn example(&self, filler: &str) -> String {
        spell(&self.0, filler)
    }
}

fn spell(steps: &[Step], filler: &str) -> String {
    let mut word = String::new();
    for step in steps {
        match step {
            Step::One(Class::Char(c) | Class::AnyCase(c)) => word.push(*c),
            Step::One(Class::Digit) => word.push('0'),
            Step::One(_) => word.push('x'),
            Step::Many(_) => word.push_str(filler),
        }
    }
    word
}

/// A pattern that is asked for many words.
#[derive(Clone, Debug)]
pub(super) enum Matcher<'a> {
    /// Only this word fits.
    Literal(String),
    /// Every word fits that starts so.
    Prefix(String),
    /// Any other pattern.
    Steps(&'a Pattern),
}

impl<'a> Matcher<'a> {
    pub(super) fn new(pattern: &'a Pattern) -> Self {
        let literal = pattern.as_literal().map(Self::Literal);
        literal
            .or_else(|| pattern.as_prefix().map(Self::Prefix))
            .unwrap_or(Self::Steps(pattern))
    }

    /// The only word that fits, where there is just one.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::Prefix(_) | Self::Steps(_) => None,
        }
    }

    pub(super) fn matches(&self, word: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == word,
            Self::Prefix(prefix) => word.starts_with(prefix.as_str()),
            Self::Steps(pattern) => pattern.matches(word),
        }
    }
}

/// One character of a glob as a policy writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// This character.
    Char(char),
    /// `?`.
    One,
    /// `*`.
    Many,
}

impl Sign {
    /// Reads a glob.
    pub(super) fn read(text: &str) -> Vec<Self> {
        let sign = |c: char| match c {
            '*' => Self::Many,
            '?' => Self::One,
            other => Self::Char(other),
        };
        text.chars().map(sign).collect()
    }

    /// Reads a text without wildcards.
    pub(super) fn plain(text: &str) -> Vec<Self> {
        text.chars().map(Self::Char).collect()
    }
}
