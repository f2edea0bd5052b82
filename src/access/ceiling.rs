//! Access beyond that of a reference policy.

use super::query::{Example, View};
use super::survey::Rules;
use super::{Rights, Scene, Undetermined};
use crate::policy::{Document, Level};

/// A request to which a change gives more access than it had and than a reference policy gives.
pub fn beyond<'a>(
    before: Rights<'a>,
    after: Rights<'a>,
    ceiling: &'a Document,
    scene: &Scene<'a>,
) -> Result<Option<Example>, Undetermined> {
    let rules = Rules::read(&[before, after, ceiling.into()], scene)?;
    let mut found = None;
    rules.each_reading(|survey, exemption| {
        let view = View {
            rights: after,
            scene,
            exemption,
        };
        for level in [Level::Direct, Level::Delegated] {
            let given = survey.at_least(1, level)?;
            let above = given.difference(&survey.at_least(2, level)?)?;
            let gained = above.difference(&survey.at_least(0, level)?)?;
            if let Some(cube) = gained.0.first()
                && found.is_none()
            {
                found = view.look(&survey.space, cube);
            }
        }
        Ok(())
    })?;
    Ok(found)
}
