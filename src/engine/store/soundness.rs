//! Whether a database is whole, as far as that can be told before anybody has to wait for it.

use rusqlite::Connection;

use super::OpenError;

/// The most pages of a database that is looked through whole, which takes a few milliseconds.
const MOST_PAGES: i64 = 1024;

/// Fails for a damaged database: a small one is looked through, of a large one each table is touched.
pub(super) fn check(connection: &Connection) -> Result<(), OpenError> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages > MOST_PAGES {
        return Ok(touch(connection)?);
    }
    let told: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match told.as_str() {
        "ok" => Ok(()),
        _ => Err(OpenError::Damaged(told.trim().replace('\n', " "))),
    }
}

/// Reads a row of each table.
pub(super) fn touch(connection: &Connection) -> Result<(), rusqlite::Error> {
    let mut names = connection.prepare_cached(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )?;
    let mut names = names.query([])?;
    while let Some(name) = names.next()? {
        let name: String = name.get(0)?;
        let mut rows = connection.prepare_cached(&format!(r#"SELECT * FROM "{name}" LIMIT 1"#))?;
        rows.query([])?.next()?;
    }
    Ok(())
}
