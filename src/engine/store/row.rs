//! Columns as the model's nouns.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;

type Sql<T> = Result<T, rusqlite::Error>;

/// A noun that is stored as its text.
pub(crate) fn noun<T>(row: &Row<'_>, column: usize) -> Sql<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get_ref(column)?.as_str()?.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// A time.
pub(crate) fn time(row: &Row<'_>, column: usize) -> Sql<Timestamp> {
    timestamp(row.get(column)?, column)
}

/// A time that may be absent.
pub(crate) fn optional_time(row: &Row<'_>, column: usize) -> Sql<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?
        .map(|time| timestamp(time, column))
        .transpose()
}

fn timestamp(milliseconds: i64, column: usize) -> Sql<Timestamp> {
    Timestamp::from_millisecond(milliseconds).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error))
    })
}

/// One of an enum's words.
pub(crate) fn word<T: Copy>(
    row: &Row<'_>,
    column: usize,
    all: &[T],
    spelling: impl Fn(T) -> &'static str,
) -> Sql<T> {
    let text = row.get_ref(column)?.as_str()?;
    let found = all.iter().copied().find(|one| spelling(*one) == text);
    found.ok_or_else(|| rusqlite::Error::InvalidColumnType(column, text.to_owned(), Type::Text))
}

/// One of an enum's words, which may be absent.
pub(crate) fn optional_word<T: Copy>(
    row: &Row<'_>,
    column: usize,
    all: &[T],
    spelling: impl Fn(T) -> &'static str,
) -> Sql<Option<T>> {
    match row.get_ref(column)?.as_str_or_null()? {
        Some(_) => word(row, column, all, spelling).map(Some),
        None => Ok(None),
    }
}
