use super::presets;
use crate::error::SpecError;

/// The error for a word that is no preset's name.
pub(crate) fn unknown(name: &str) -> SpecError {
    let names = || {
        presets().iter().flat_map(|preset| [preset.name].into_iter().chain(preset.aliases.iter().copied()))
    };
    let nearest = names()
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|&(distance, known)| distance <= 1 + known.len() / 3)
        .map(|(_, known)| known.to_owned());
    SpecError::UnknownPreset { name: shorten(name), nearest }
}

fn shorten(name: &str) -> String {
    match name.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// How many letters must be added, dropped or changed to make `from` into `to`, without regard to case, `-` and `_`.
fn distance(from: &str, to: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        text.chars()
            .take(40)
            .map(|char| char.to_ascii_lowercase())
            .map(|char| if char == '_' { '-' } else { char })
            .collect()
    };
    let (from, to) = (letters(from), letters(to));
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let error = |name| match unknown(name) {
            SpecError::UnknownPreset { nearest, .. } => nearest,
            _ => None,
        };
        assert_eq!(error("conbined").as_deref(), Some("combined"));
        assert_eq!(error("vhost-combined").as_deref(), Some("vhost_combined"));
        assert_eq!(error("Gunicorn").as_deref(), Some("gunicorn"));
        assert_eq!(error("something-else"), None);
    }
}
