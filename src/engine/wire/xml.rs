//! The query protocol of IAM and STS: a form in, XML out.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use jiff::Timestamp;

use super::{Failure, percent, seal};
use crate::engine::record::Service;

const XML: HeaderValue = HeaderValue::from_static("text/xml");

/// The members of a request, by their names on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a form, of a body or of a URL.
    pub(crate) fn read(text: &str) -> Self {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| percent::decode(&text.replace('+', " "));
            (decode(name), decode(value))
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(pairs.map(pair).collect())
    }

    /// A member.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The members of a list, `NAME.member.1` and on.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let numbered = (1..).map(|index| self.get(&format!("{name}.member.{index}")));
        numbered.map_while(|value| value).collect()
    }

    /// The pairs of a list, `NAME.member.1.KEY` with `NAME.member.1.VALUE` and on.
    pub(crate) fn pairs(&self, name: &str, key: &str, value: &str) -> Vec<(&str, &str)> {
        let at = |index: u32, part: &str| self.get(&format!("{name}.member.{index}.{part}"));
        let pair = |index| Some((at(index, key)?, at(index, value).unwrap_or_default()));
        (1..).map_while(pair).collect()
    }
}

/// XML as it grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Xml(String);

impl Xml {
    /// An element with a text.
    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.open(name);
        for character in value.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                // XML has no way to write other control characters.
                c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self.close(name);
        self
    }

    /// An element with a text, where there is one.
    pub(crate) fn optional(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// An element with a time.
    pub(crate) fn time(&mut self, name: &str, time: Timestamp) -> &mut Self {
        self.text(name, &time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// An element with others in it.
    pub(crate) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.open(name);
        inside(self);
        self.close(name);
        self
    }

    /// A list of elements.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        inside: impl Fn(&mut Self, T),
    ) -> &mut Self {
        self.element(name, |list| {
            for item in items {
                list.element("member", |member| inside(member, item));
            }
        })
    }

    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }
}

/// Makes the HTTP response of an action: its result, or none where it has nothing to say.
pub(crate) fn respond_query(
    service: Service,
    action: &str,
    outcome: Result<Option<Xml>, Failure>,
    request_id: &str,
) -> Response<Bytes> {
    let namespace = match service {
        Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        Service::Sts | Service::Kms => "https://sts.amazonaws.com/doc/2011-06-15/",
    };
    let mut inside = Xml::default();
    let (status, name) = match outcome {
        Ok(result) => {
            if let Some(Xml(result)) = result {
                let name = format!("{action}Result");
                inside.element(&name, |xml| xml.0.push_str(&result));
            }
            inside.element("ResponseMetadata", |xml| {
                xml.text("RequestId", request_id);
            });
            (StatusCode::OK, format!("{action}Response"))
        }
        Err(failure) => {
            let status = failure.code.query_status();
            inside.element("Error", |xml| {
                let kind = if status.is_server_error() {
                    "Receiver"
                } else {
                    "Sender"
                };
                xml.text("Type", kind)
                    .text("Code", failure.code.query_name())
                    .optional("Message", failure.message.as_deref());
            });
            inside.text("RequestId", request_id);
            (status, "ErrorResponse".to_owned())
        }
    };
    let body = format!("<{name} xmlns=\"{namespace}\">{}</{name}>\n", inside.0);
    seal(status, XML, Bytes::from(body), request_id)
}
