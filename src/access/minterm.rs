//! Minterms: every set of patterns that some word of a language fits, each with a word to show for it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use fixedbitset::FixedBitSet;

use super::Exhausted;
use super::pattern::{Class, Matcher, Pattern, Step};

/// The most states that a search through words visits.
const MAX_STATES: usize = 50_000;

/// The most places that such a search looks at, for all its states and letters.
const MAX_MOVES: usize = 30_000_000;

/// The most letters of literals that are held against places of globs.
const MAX_MATCHES: usize = 300_000_000;

/// The most places of globs for which words that can be read are made up.
const MAX_PLACES_OF_EXAMPLES: usize = 2_000;

/// Words that no pattern tells apart, by one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Minterm {
    /// One of the words.
    pub(super) word: String,
    /// The patterns that they fit, by index.
    pub(super) fits: FixedBitSet,
}

/// Finds every set of patterns that a word of the language fits.
///
/// The language is that of any of its patterns. `favourites` are words that a person likes to read; they are shown
/// where they are in the set.
pub(super) fn minterms(
    patterns: &[Pattern],
    language: &[Pattern],
    favourites: &[String],
) -> Result<Vec<Minterm>, Exhausted> {
    minterms_beside(&[], patterns, language, favourites)
}

/// The same among all words but some, which are of the language.
pub(super) fn minterms_beside(
    others: &[String],
    patterns: &[Pattern],
    language: &[Pattern],
    favourites: &[String],
) -> Result<Vec<Minterm>, Exhausted> {
    let languages: Vec<Matcher<'_>> = language.iter().map(Matcher::new).collect();
    if let Some(words) = languages.iter().map(Matcher::as_literal).collect() {
        return Ok(of_words(words, others, patterns));
    }
    let is_word = |word: &str| languages.iter().any(|matcher| matcher.matches(word));
    let mut literals: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut globs: Vec<(usize, &Pattern)> = Vec::new();
    let mut matchers: Vec<(usize, Matcher<'_>)> = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        match Matcher::new(pattern) {
            Matcher::Literal(word) if is_word(&word) => {
                literals.entry(word).or_default().push(index);
            }
            Matcher::Literal(_) => {}
            matcher @ (Matcher::Prefix(_) | Matcher::Steps(_)) => {
                globs.push((index, pattern));
                matchers.push((index, matcher));
            }
        }
    }
    check_matches(&matchers, &literals)?;
    let of_word = |word: &str| fits(&matchers, word, patterns.len());
    let mut found: Vec<Minterm> = Vec::new();
    for word in others {
        literals.insert(word.clone(), Vec::new());
    }
    for (word, indices) in &literals {
        if indices.is_empty() {
            continue;
        }
        let mut fits = of_word(word);
        fits.extend(indices.iter().copied());
        found.push(Minterm {
            word: word.clone(),
            fits,
        });
    }
    // Beside the literals: what the globs tell apart.
    let favourites: Vec<(String, FixedBitSet)> = favourites
        .iter()
        .cloned()
        .chain(examples(&globs, &matchers))
        .map(|word| (word.clone(), of_word(&word)))
        .collect();
    let is_free = |word: &str| !literals.contains_key(word) && is_word(word);
    let search = Search::of(&globs, patterns.len(), language);
    for (word, fits) in search.run(&|word| !literals.contains_key(word))? {
        let favourite = favourites
            .iter()
            .find(|(word, its)| *its == fits && is_free(word));
        let word = match favourite {
            Some((favourite, _)) => favourite.clone(),
            None if !literals.contains_key(&word) => word,
            // The shortest word is a literal: look for one that is none.
            None => match beside(&literals, &globs, &fits, patterns.len(), language)? {
                Some(word) => word,
                None => continue,
            },
        };
        found.push(Minterm { word, fits });
    }
    Ok(found)
}

/// The same where the language is some words: of those that fit the same patterns, the first.
fn of_words(words: Vec<&str>, others: &[String], patterns: &[Pattern]) -> Vec<Minterm> {
    let matchers: Vec<(usize, Matcher<'_>)> =
        patterns.iter().map(Matcher::new).enumerate().collect();
    let mut found: Vec<Minterm> = Vec::new();
    for word in words
        .into_iter()
        .filter(|word| !others.iter().any(|other| other == word))
    {
        let fits = fits(&matchers, word, patterns.len());
        if found.iter().all(|one| one.fits != fits) {
            found.push(Minterm {
                word: word.to_owned(),
                fits,
            });
        }
    }
    found
}

/// The globs that a word fits.
fn fits(matchers: &[(usize, Matcher<'_>)], word: &str, count: usize) -> FixedBitSet {
    let mut fits = FixedBitSet::with_capacity(count);
    let found = matchers.iter().filter(|(_, matcher)| matcher.matches(word));
    fits.extend(found.map(|(index, _)| *index));
    fits
}

/// The places of globs that words are led through step by step.
fn places(matchers: &[(usize, Matcher<'_>)]) -> usize {
    let places = matchers.iter().map(|(_, matcher)| match matcher {
        Matcher::Steps(glob) => glob.steps().len(),
        Matcher::Literal(_) | Matcher::Prefix(_) => 0,
    });
    places.sum()
}

/// Fails where there is too much to be held against each other, letter by letter and place by place.
fn check_matches(
    matchers: &[(usize, Matcher<'_>)],
    literals: &BTreeMap<String, Vec<usize>>,
) -> Result<(), Exhausted> {
    let places = places(matchers);
    let letters: usize = literals.keys().map(String::len).sum();
    if places.saturating_mul(places + letters) > MAX_MATCHES {
        return Err(Exhausted::Words);
    }
    Ok(())
}

/// Words that fit one of the globs and can be read; none where there are no globs but prefixes, or too many.
fn examples(globs: &[(usize, &Pattern)], matchers: &[(usize, Matcher<'_>)]) -> Vec<String> {
    let words =
        |(_, pattern): &(usize, &Pattern)| ["example", ""].map(|filler| pattern.example(filler));
    match places(matchers) {
        0 | MAX_PLACES_OF_EXAMPLES.. => Vec::new(),
        _ => globs.iter().flat_map(words).collect(),
    }
}

/// A word that fits these globs, no other ones and none of the literals.
fn beside(
    literals: &BTreeMap<String, Vec<usize>>,
    globs: &[(usize, &Pattern)],
    fits: &FixedBitSet,
    count: usize,
    language: &[Pattern],
) -> Result<Option<String>, Exhausted> {
    let literals: Vec<Pattern> = literals.keys().map(|word| Pattern::literal(word)).collect();
    let more = literals
        .iter()
        .enumerate()
        .map(|(index, pattern)| (count + index, pattern));
    let all: Vec<(usize, &Pattern)> = globs.iter().copied().chain(more).collect();
    let found = Search::of(&all, count + literals.len(), language).run(&|_| true)?;
    let same = |its: &FixedBitSet| its.ones().eq(fits.ones());
    Ok(found
        .into_iter()
        .find(|(_, its)| same(its))
        .map(|(word, _)| word))
}

/// A search through all words, letter by letter, of what patterns can still fit.
struct Search<'a> {
    globs: &'a [(usize, &'a Pattern)],
    count: usize,
    language: &'a [Pattern],
}

impl<'a> Search<'a> {
    fn of(globs: &'a [(usize, &'a Pattern)], count: usize, language: &'a [Pattern]) -> Self {
        Self {
            globs,
            count,
            language,
        }
    }

    /// The sets of globs that words fit, with a short word for each, one of the better ones if that is cheap.
    fn run(
        &self,
        is_better: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(String, FixedBitSet)>, Exhausted> {
        match self.by_prefixes(is_better) {
            Some(found) => Ok(found),
            None => self.letter_by_letter(),
        }
    }

    /// Where every glob is a prefix: a word's longest one decides, so a word after each is enough.
    fn by_prefixes(&self, is_better: &dyn Fn(&str) -> bool) -> Option<Vec<(String, FixedBitSet)>> {
        let prefixes = self.globs.iter().map(|(_, pattern)| pattern.as_prefix());
        let prefixes: Vec<String> = prefixes.collect::<Option<_>>()?;
        let fits = |word: &str| {
            let mut fits = FixedBitSet::with_capacity(self.count);
            let starts = self.globs.iter().zip(&prefixes);
            let starts = starts.filter(|(_, prefix)| word.starts_with(prefix.as_str()));
            fits.extend(starts.map(|((index, _), _)| *index));
            fits
        };
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for start in std::iter::once("").chain(prefixes.iter().map(String::as_str)) {
            let wanted = fits(start);
            if seen.contains(&wanted) {
                continue;
            }
            let words = self.language.iter();
            let mut words = words.flat_map(|pattern| pattern.complete(start)).peekable();
            if words.peek().is_none() {
                continue;
            }
            let mut words = words.filter(|word| fits(word) == wanted).peekable();
            let first = words.peek()?.clone();
            let word = words.find(|word| is_better(word)).unwrap_or(first);
            found.push((word, wanted.clone()));
            seen.insert(wanted);
        }
        Some(found)
    }

    /// Every word, by what its letters leave possible.
    fn letter_by_letter(&self) -> Result<Vec<(String, FixedBitSet)>, Exhausted> {
        let machine = Machine::new(
            self.language
                .iter()
                .chain(self.globs.iter().map(|(_, pattern)| *pattern)),
        );
        let letters = letters(&machine.steps);
        let moves: Vec<(char, Moves)> = letters
            .into_iter()
            .map(|letter| (letter, machine.moves(letter)))
            .collect();
        let alive = machine.first(self.language.len());
        let mut work = 0;
        let mut known: HashMap<FixedBitSet, usize> = HashMap::new();
        let mut trail: Vec<(usize, char)> = Vec::new();
        let mut queue = VecDeque::new();
        let mut found: Vec<(String, FixedBitSet)> = Vec::new();
        let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
        let start = machine.start();
        known.insert(start.clone(), 0);
        trail.push((0, '\0'));
        queue.push_back((start, 0));
        while let Some((state, index)) = queue.pop_front() {
            if let Some(fits) = self.fits(&machine, &state)
                && seen.insert(fits.ones().collect())
            {
                found.push((spell(&trail, index), fits));
            }
            for (letter, moves) in &moves {
                let next = machine.step(&state, moves);
                // A whole word of places that nothing leads to costs next to nothing.
                work += next.count_ones(..) + machine.steps.len() / 512;
                if work > MAX_MOVES {
                    return Err(Exhausted::Words);
                }
                if next.is_disjoint(&alive) || known.contains_key(&next) {
                    continue;
                }
                let index_of_next = trail.len();
                if index_of_next >= MAX_STATES {
                    return Err(Exhausted::Words);
                }
                known.insert(next.clone(), index_of_next);
                trail.push((index, *letter));
                queue.push_back((next, index_of_next));
            }
        }
        Ok(found)
    }

    /// The globs that end in a state; none where the language does not.
    fn fits(&self, machine: &Machine, state: &FixedBitSet) -> Option<FixedBitSet> {
        let mut ends = machine.ends.iter();
        let own = ends.by_ref().take(self.language.len());
        if !own.fold(false, |any, end| any | state.contains(*end)) {
            return None;
        }
        let mut fits = FixedBitSet::with_capacity(self.count);
        let at_end = self
            .globs
            .iter()
            .zip(ends)
            .filter(|(_, end)| state.contains(**end));
        fits.extend(at_end.map(|((index, _), _)| *index));
        Some(fits)
    }
}

/// The letters back from a state to the start.
fn spell(trail: &[(usize, char)], mut index: usize) -> String {
    let mut letters = Vec::new();
    while index != 0 {
        let Some((before, letter)) = trail.get(index) else {
            break;
        };
        letters.push(*letter);
        index = *before;
    }
    letters.into_iter().rev().collect()
}

/// Several patterns side by side; a state is the set of places where a word so far can be in them.
struct Machine {
    /// The step at each place; `None` at a pattern's end.
    steps: Vec<Option<Step>>,
    starts: Vec<usize>,
    ends: Vec<usize>,
    /// The places of runs that may be empty, in order.
    runs: Vec<usize>,
}

/// Where one letter leads.
struct Moves {
    on: FixedBitSet,
    stay: FixedBitSet,
}

impl Machine {
    fn new<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> Self {
        let mut machine = Self {
            steps: Vec::new(),
            starts: Vec::new(),
            ends: Vec::new(),
            runs: Vec::new(),
        };
        for pattern in patterns {
            machine.starts.push(machine.steps.len());
            machine
                .steps
                .extend(pattern.steps().iter().copied().map(Some));
            machine.ends.push(machine.steps.len());
            machine.steps.push(None);
        }
        let is_run = |(_, step): &(usize, &Option<Step>)| matches!(step, Some(Step::Many(_)));
        let runs = machine.steps.iter().enumerate().filter(is_run);
        machine.runs = runs.map(|(place, _)| place).collect();
        machine
    }

    fn start(&self) -> FixedBitSet {
        let mut state = FixedBitSet::with_capacity(self.steps.len());
        state.extend(self.starts.iter().copied());
        self.skip(&mut state);
        state
    }

    /// The places of the first patterns.
    fn first(&self, count: usize) -> FixedBitSet {
        let mut places = FixedBitSet::with_capacity(self.steps.len());
        let end = count.checked_sub(1).and_then(|last| self.ends.get(last));
        places.insert_range(..end.map_or(0, |end| end + 1));
        places
    }

    fn moves(&self, letter: char) -> Moves {
        let mut moves = Moves {
            on: FixedBitSet::with_capacity(self.steps.len()),
            stay: FixedBitSet::with_capacity(self.steps.len()),
        };
        for (place, step) in self.steps.iter().enumerate() {
            match step {
                Some(Step::One(class)) if class.has(letter) => moves.on.insert(place),
                Some(Step::Many(class)) if class.has(letter) => moves.stay.insert(place),
                Some(_) | None => {}
            }
        }
        moves
    }

    fn step(&self, state: &FixedBitSet, moves: &Moves) -> FixedBitSet {
        let mut next = FixedBitSet::with_capacity(self.steps.len());
        next.extend(state.intersection(&moves.on).map(|place| place + 1));
        next.extend(state.intersection(&moves.stay));
        self.skip(&mut next);
        next
    }

    /// Adds the places behind runs that may be empty.
    fn skip(&self, state: &mut FixedBitSet) {
        for run in &self.runs {
            if state.contains(*run) {
                state.insert(run + 1);
            }
        }
    }
}

/// The characters that the steps tell apart, and one of each kind that they do not.
fn letters(steps: &[Option<Step>]) -> Vec<char> {
    let mut letters = BTreeSet::new();
    let mut classes = BTreeSet::new();
    for step in steps.iter().flatten() {
        let (Step::One(class) | Step::Many(class)) = step;
        match class {
            Class::Char(c) => {
                letters.insert(*c);
            }
            Class::AnyCase(c) => {
                letters.extend(c.to_lowercase());
                letters.extend(c.to_uppercase());
            }
            Class::Digit
            | Class::Letter
            | Class::Name
            | Class::Path
            | Class::NoColon
            | Class::Any => {
                classes.insert(*class);
            }
        }
    }
    // One character more for each way to be in the classes.
    let kinds = [
        "abcdefghijklmnopqrstuvwxyz",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "0123456789",
        "-_.=+@,",
        "/",
        ":",
        " !&()<>~\u{a1}\u{a2}\u{a3}\u{a4}\u{a5}",
    ];
    let mut all: Vec<char> = Vec::new();
    let mut shapes = BTreeSet::new();
    for kind in kinds {
        let Some(fresh) = kind.chars().find(|c| !letters.contains(c)) else {
            continue;
        };
        let shape: Vec<bool> = classes.iter().map(|class| class.has(fresh)).collect();
        if shape.contains(&true) && shapes.insert(shape) {
            all.push(fresh);
        }
    }
    all.extend(letters);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::pattern::Sign;

    /// The sets of patterns that words fit, as `pattern+pattern`, without the words.
    #[track_caller]
    fn check(globs: &[&str], language: &[Pattern], expected: &[&str]) {
        let pattern = |text: &&str| Pattern::glob(&Sign::read(text), Class::Any);
        let patterns: Vec<Pattern> = globs.iter().map(pattern).collect();
        let minterms = minterms(&patterns, language, &[]).unwrap();
        for Minterm { word, fits } in &minterms {
            for (index, pattern) in patterns.iter().enumerate() {
                assert_eq!(pattern.matches(word), fits.contains(index), "{word}");
            }
        }
        let name = |minterm: &Minterm| {
            let names = minterm.fits.ones().filter_map(|index| globs.get(index));
            names.copied().collect::<Vec<_>>().join("+")
        };
        let mut found: Vec<String> = minterms.iter().map(name).collect();
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    fn text() -> Vec<Pattern> {
        vec![Pattern::default().many(Class::Any)]
    }

    #[test]
    fn every_set_that_some_word_fits_is_found_and_no_other() {
        check(&[], &text(), &[""]);
        check(&["a"], &text(), &["", "a"]);
        check(&["a", "b"], &text(), &["", "a", "b"]);
        check(&["*"], &text(), &["*"]);
        check(&["a*"], &text(), &["", "a*"]);
        check(&["a*", "ab*"], &text(), &["", "a*", "a*+ab*"]);
        check(&["a*", "*b"], &text(), &["", "a*", "*b", "a*+*b"]);
        check(
            &["a*", "*b", "ab"],
            &text(),
            &["", "a*", "*b", "a*+*b", "a*+*b+ab"],
        );
        check(&["a?", "?b"], &text(), &["", "a?", "?b", "a?+?b"]);
        check(&["?", "??"], &text(), &["", "?", "??"]);
        check(
            &["*a*", "*b*", "*c*"],
            &text(),
            &[
                "",
                "*a*",
                "*b*",
                "*c*",
                "*a*+*b*",
                "*a*+*c*",
                "*b*+*c*",
                "*a*+*b*+*c*",
            ],
        );
    }

    #[test]
    fn a_set_whose_words_are_all_literals_stands_with_them_alone() {
        let two = [Pattern::literal("x"), Pattern::literal("y")];
        check(&["*"], &two, &["*"]);
        check(&["x", "*"], &two, &["x+*", "*"]);
        check(&["x", "y", "*"], &two, &["x+*", "y+*"]);
        check(&["x", "y", "?*"], &two, &["x+?*", "y+?*"]);
    }

    #[test]
    fn words_outside_the_language_do_not_count() {
        let digits = vec![Pattern::default().times(2, Class::Digit)];
        check(&["a*"], &digits, &[""]);
        check(&["1*", "*2"], &digits, &["", "1*", "*2", "1*+*2"]);
        check(&["a", "12"], &digits, &["", "12"]);
        check(&["???"], &digits, &[""]);
    }

    #[test]
    fn too_many_sets_are_refused() {
        let infixes: Vec<Pattern> = ('a'..='z')
            .map(|c| Pattern::glob(&Sign::read(&format!("*{c}*")), Class::Any))
            .collect();
        assert_eq!(minterms(&infixes, &text(), &[]), Err(Exhausted::Words));
    }
}
