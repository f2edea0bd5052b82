//! Pages of long answers: after which item they start, and whether more follow.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::engine::wire::{Check, Code, Failure};

/// How long pages of one operation are, and whose markers it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pages {
    /// Goes into markers, so that no operation takes another's.
    pub kind: &'static str,
    pub default: i64,
    pub most: i64,
}

/// One page that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Page {
    kind: &'static str,
    limit: u32,
    /// The last item of the page before; empty for the first page.
    pub after: String,
}

/// What follows the items of a page.
#[derive(Clone, Debug)]
pub(super) struct More {
    pub truncated: bool,
    pub next_marker: Option<String>,
}

impl Pages {
    /// Notes what is wrong with a request's `Limit` and `Marker`.
    pub(super) fn check(self, check: &mut Check, limit: Option<i64>, marker: Option<&str>) {
        check.range("limit", limit, &(1..=self.most));
        check.length("marker", marker, 1..=1024);
    }

    /// The page that a request asks for.
    pub(super) fn page(self, limit: Option<i64>, marker: Option<&str>) -> Result<Page, Failure> {
        let wrong = || Failure::silent(Code::InvalidMarker);
        let after = match marker {
            None => String::new(),
            Some(marker) => {
                let bytes = URL_SAFE_NO_PAD.decode(marker).map_err(|_| wrong())?;
                let text = String::from_utf8(bytes).map_err(|_| wrong())?;
                let after = text.strip_prefix(self.kind).ok_or_else(wrong)?;
                after.strip_prefix('\n').ok_or_else(wrong)?.to_owned()
            }
        };
        Ok(Page {
            kind: self.kind,
            limit: u32::try_from(limit.unwrap_or(self.default)).unwrap_or(1),
            after,
        })
    }
}

impl Page {
    /// How many items to look for: one more than are shown.
    pub(super) fn reach(&self) -> u32 {
        self.limit + 1
    }

    /// The row after which the page starts, where items are ordered by row.
    pub(super) fn after_row(&self) -> Result<i64, Failure> {
        if self.after.is_empty() {
            return Ok(0);
        }
        self.after
            .parse()
            .map_err(|_| Failure::silent(Code::InvalidMarker))
    }

    /// Cuts items to the page's length.
    pub(super) fn cut<T>(&self, items: &mut Vec<T>, position: impl Fn(&T) -> String) -> More {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let truncated = items.len() > limit;
        items.truncate(limit);
        let next_marker = items
            .last()
            .filter(|_| truncated)
            .map(|last| URL_SAFE_NO_PAD.encode(format!("{}\n{}", self.kind, position(last))));
        More {
            truncated,
            next_marker,
        }
    }
}
