//! Lists of policies in any order: AWS keeps none.

use serde_json::Value;

use super::dice::Dice;

/// The text of a policy with all its lists shuffled; `None` for what is not JSON.
pub(super) fn shuffle(text: &str, dice: &mut Dice) -> Option<String> {
    let mut policy: Value = serde_json::from_str(text).ok()?;
    shuffle_value(&mut policy, dice);
    Some(policy.to_string())
}

fn shuffle_value(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Array(items) => {
            for last in (1..items.len()).rev() {
                items.swap(last, dice.below(last + 1));
            }
            for item in items {
                shuffle_value(item, dice);
            }
        }
        Value::Object(members) => {
            let members = members.values_mut();
            members.for_each(|member| shuffle_value(member, dice));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
