use std::collections::BTreeMap;

use serde_json::Value;

/// The objects of NDJSON text.
pub(crate) fn ndjson(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// How many objects there are of each value at `pointer`, as `jq` would group them.
pub(crate) fn count_by(objects: &[Value], pointer: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for object in objects {
        let value = object.pointer(pointer).unwrap_or(&Value::Null);
        *counts.entry(value.as_str().map_or_else(|| value.to_string(), str::to_owned)).or_default() += 1;
    }
    counts
}
