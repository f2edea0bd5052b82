//! What an answer hangs on where no request can show it.

use super::cube::Cube;
use super::space::{KEYS, Space};

impl Space<'_> {
    /// The first condition that a box hangs on and that may hold or not, in words; none where all of them are known.
    pub(super) fn open_question(&self, cube: &Cube) -> Option<String> {
        let from = KEYS + self.dimensions.len();
        let sets = cube.0.get(from..).unwrap_or_default();
        let mut asked = self.variables.iter().zip(sets);
        let (condition, _) = asked.find(|(_, set)| set.count_ones(..) < 2)?;
        Some(if condition.is_undefined() {
            let (operator, key) = (condition.operator, &condition.key);
            format!("`{operator}` on `{key}`, which AWS does not define without a set operator")
        } else {
            "a policy variable".to_owned()
        })
    }
}
