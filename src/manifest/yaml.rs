//! YAML as a tree that knows where each part stands, with every fault of a file and not just the first.

use std::collections::BTreeMap;

use serde_yaml::granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span as Range, StrInput,
};

use super::fault::{Fault, Faults, Span};

/// The deepest nesting of lists and mappings.
const MAX_DEPTH: usize = 40;
/// The most nodes of a file, with anchors expanded.
const MAX_NODES: usize = 400_000;

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// A node of the tree.
pub(crate) type Node = At<Value>;

/// What a node holds. A scalar stays text: what it means is for the field to say.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar { text: String, quoted: bool },
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: At<String>,
    pub(crate) value: Node,
}

impl Node {
    /// True for `~`, `null` and nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, quoted: false } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    fn is_mapping(&self) -> bool {
        matches!(self.value, Value::Mapping(_))
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar { .. } if self.is_null() => "nothing",
            Value::Scalar { .. } => "text",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Reads the documents of a file one by one, so that no two trees are held at once. A document with a syntax error
/// is left out, the others stay.
pub(crate) fn parse(
    file: u32,
    text: &str,
    faults: &mut Faults,
    mut each: impl FnMut(&Node, &mut Faults),
) {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut composer = Composer {
        file,
        parser: Parser::new_from_str_with_options(text, options),
        anchors: BTreeMap::new(),
        nodes: 0,
        faults: Vec::new(),
    };
    loop {
        match composer.next_document() {
            Ok(Some(document)) if document.is_null() => {}
            Ok(Some(document)) => each(&document, faults),
            Ok(None) => break,
            Err(fault) => {
                composer.faults.push(fault);
                if !composer.recover() {
                    break;
                }
            }
        }
    }
    faults.append(&mut composer.faults);
}

struct Composer<'a> {
    file: u32,
    parser: Parser<'a, StrInput<'a>>,
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    faults: Faults,
}

impl<'a> Composer<'a> {
    fn next_document(&mut self) -> Result<Option<Node>, Fault> {
        loop {
            match self.next()? {
                Some((Event::DocumentStart(..), _)) => {
                    self.anchors.clear();
                    let (event, range) = self.some()?;
                    return self.node(event, range, 0).map(Some);
                }
                Some((Event::StreamEnd, _)) | None => return Ok(None),
                Some(_) => {}
            }
        }
    }

    /// Moves to the next document after a fault.
    fn recover(&mut self) -> bool {
        self.nodes <= MAX_NODES && matches!(self.parser.proceed_next_document(), Ok(true))
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Range)>, Fault> {
        let event = self.parser.next_event().transpose();
        event.map_err(|error| self.syntax(&error))
    }

    fn some(&mut self) -> Result<(Event<'a>, Range), Fault> {
        self.next()?.ok_or_else(|| {
            Fault::error(
                "yaml-syntax",
                "the document ends too early",
                Span::whole_file(self.file),
            )
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's other events cannot stand where a node stands"
    )]
    fn node(&mut self, event: Event<'a>, range: Range, depth: usize) -> Result<Node, Fault> {
        let span = self.span(range);
        self.count(1, span)?;
        if depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} lists and mappings inside each other");
            return Err(Fault::error("yaml-too-deep", message, span));
        }
        self.check_tag(&event, span);
        let before = self.nodes;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain || tag.is_some();
                let text = text.into_owned();
                (Value::Scalar { text, quoted }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, span),
            _ => {
                let message = "a value is missing here";
                return Err(Fault::error("yaml-syntax", message, span));
            }
        };
        let span = match &value {
            // A block mapping starts at its first key.
            Value::Mapping(entries) if range.is_empty() => {
                entries.first().map_or(span, |entry| entry.key.span)
            }
            Value::Mapping(_) | Value::List(_) | Value::Scalar { .. } => span,
        };
        let node = At { value, span };
        if anchor != 0 {
            // The anchor keeps a copy, which counts like the node itself.
            let size = self.nodes - before + 1;
            self.count(size, span)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, Fault> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            let message = "this alias stands inside its own anchor";
            return Err(Fault::error("yaml-syntax", message, span));
        };
        let (node, size) = (node.clone(), *size);
        self.count(size, span)?;
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            let (event, range) = self.some()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::List(items));
            }
            items.push(self.node(event, range, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut known: BTreeMap<String, Span> = BTreeMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, range) = self.some()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = self.node(event, range, depth + 1)?;
            let (event, range) = self.some()?;
            let value = self.node(event, range, depth + 1)?;
            let At { value: name, span } = key;
            match name {
                Value::Scalar {
                    text,
                    quoted: false,
                } if text == "<<" => merged.push(value),
                Value::Scalar { text, .. } => {
                    if let Some(first) = known.insert(text.clone(), span) {
                        self.faults.push(given_twice(&text, span, first));
                        continue;
                    }
                    let key = At { value: text, span };
                    entries.push(Entry { key, value });
                }
                Value::List(_) | Value::Mapping(_) => self.faults.push(Fault::error(
                    "wrong-type",
                    "the key of a mapping must be text",
                    span,
                )),
            }
        }
        for node in merged {
            merge(&mut entries, &mut known, node)?;
        }
        Ok(Value::Mapping(entries))
    }

    /// Counts nodes as if aliases were written out, so that a small file cannot stand for a huge one.
    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Fault> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message =
            format!("with its anchors expanded, this file has more than {MAX_NODES} values");
        Err(Fault::error("yaml-too-large", message, span))
    }

    fn check_tag(&mut self, event: &Event<'a>, span: Span) {
        if let Some(tag) = event.tag()
            && !tag.is_yaml_core_schema_tag("str")
        {
            let message = format!(
                "the YAML tag `{}` has no meaning in manifests",
                tag.original()
            );
            self.faults
                .push(Fault::error("yaml-tag", message, span).help("leave the tag out"));
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's own words do for most of its hundred errors"
    )]
    fn syntax(&self, error: &ScanError) -> Fault {
        let at = *error.marker();
        let span = self.span(Range::new(at, at));
        let fault = |message: &str| Fault::error("yaml-syntax", message, span);
        match error.kind() {
            ErrorKind::UnknownAnchor => fault("no anchor of this name stands before this alias"),
            ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidIndentation => {
                fault("not valid YAML: a field cannot start here")
                    .help("check the indentation of this line and of the line before it")
            }
            other => fault(&format!("not valid YAML: {other}")),
        }
    }

    fn span(&self, range: Range) -> Span {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let length = if range.start.line() == range.end.line() {
            range.end.col().saturating_sub(range.start.col())
        } else {
            // A block text is marked by its first line.
            usize::from(u16::MAX)
        };
        Span {
            file: self.file,
            line: small(range.start.line()),
            column: small(range.start.col() + 1),
            length: small(length.max(1)),
        }
    }
}

fn given_twice(name: &str, span: Span, first: Span) -> Fault {
    let message = format!("`{name}` is given twice");
    Fault::error("duplicate-key", message, span).also(first, "first given here")
}

/// Takes over what `<<` names, except for keys that the mapping has itself.
fn merge(
    entries: &mut Vec<Entry>,
    known: &mut BTreeMap<String, Span>,
    node: Node,
) -> Result<(), Fault> {
    match node.value {
        Value::Mapping(others) => {
            for other in others {
                if !known.contains_key(&other.key.value) {
                    known.insert(other.key.value.clone(), other.key.span);
                    entries.push(other);
                }
            }
            Ok(())
        }
        Value::List(nodes) if nodes.iter().all(Node::is_mapping) => nodes
            .into_iter()
            .try_for_each(|node| merge(entries, known, node)),
        Value::List(_) | Value::Scalar { .. } => Err(Fault::error(
            "wrong-type",
            "`<<` takes a mapping or a list of mappings",
            node.span,
        )),
    }
}
