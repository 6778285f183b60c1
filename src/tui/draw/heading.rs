//! The title line of a pane: its name and what was found, as a sentence from the left that is never cut before its
//! number.

use unicode_width::UnicodeWidthStr;

use crate::number::fit;

/// Least cells of a name that is cut.
const NAME: usize = 10;

/// Name and finding for so many cells. There is room for the finding as far as its first number: for it first the name
/// is cut, then it goes (the line of tabs has it), and then the beginning of the sentence.
pub fn heading(title: &str, words: &str, width: usize) -> (String, String) {
    let words = own_words(title, words);
    if words.is_empty() {
        return (fit(title, width), String::new());
    }
    let vital = to_first_number(words);
    // What follows it is cut with a mark.
    let least = vital.width() + usize::from(vital.len() < words.len());
    let room = width.saturating_sub(2 + least);
    if room >= title.width().min(NAME) {
        let name = fit(title, room);
        let rest = fit(words, width.saturating_sub(name.width() + 2));
        return (name, format!(": {rest}"));
    }
    if least <= width {
        return (String::new(), fit(words, width));
    }
    // The end of what is vital: the number.
    let mut start = 0;
    while vital[start..].width() + 1 > width {
        start += vital[start..].chars().next().map_or(1, char::len_utf8);
        if start >= vital.len() {
            break;
        }
    }
    (String::new(), fit(&format!("…{}", vital[start.min(vital.len())..].trim_start()), width))
}

/// The words without the subject that the title says already.
fn own_words<'a>(title: &str, words: &'a str) -> &'a str {
    match words.split_once(": ") {
        Some((subject, rest)) if !subject.contains(' ') && title.contains(subject) => rest,
        _ => words,
    }
}

/// The words up to the end of their first number and its unit; all of them where there is none short enough.
fn to_first_number(words: &str) -> &str {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '[' | '.' | '(');
    let begins = |at: usize| !words[..at].chars().next_back().is_some_and(is_word);
    let Some(start) = words.char_indices().find(|(at, c)| c.is_ascii_digit() && begins(*at)).map(|c| c.0) else {
        return fit_words(words);
    };
    let mut end = words.len();
    let mut has_unit = false;
    for (at, _) in words[start..].match_indices([' ', ';', ',']) {
        // A comma inside a number is none that ends it.
        let rest = &words[start + at + 1..];
        if words[start + at..].starts_with(',') && rest.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        if has_unit || !words[start + at..].starts_with(' ') || !is_unit(rest) {
            end = start + at;
            break;
        }
        has_unit = true;
    }
    &words[..end]
}

/// The first words of a sentence without a number.
fn fit_words(words: &str) -> &str {
    words.char_indices().nth(24).map_or(words, |(at, _)| &words[..at])
}

/// Whether what follows a number is its unit: short, and no word of a sentence.
fn is_unit(rest: &str) -> bool {
    let word = rest.split([' ', ';', ',']).next().unwrap_or_default();
    let is_word = matches!(word, "of" | "at" | "in" | "to" | "is" | "and" | "or" | "by" | "for" | "on");
    !word.is_empty() && !is_word && (word.width() <= 4 || word.contains(['/', '²', '·', '*']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finding_stands_beside_the_name() {
        let of = |title, words, width| {
            let (name, finding) = heading(title, words, width);
            name + &finding
        };
        assert_eq!(of("Spikes", "1443 spikes of 4000 units", 60), "Spikes: 1443 spikes of 4000 units");
        assert_eq!(
            of("Spectrum of exc.rate", "exc.rate: peak at 40.2 Hz", 60),
            "Spectrum of exc.rate: peak at 40.2 Hz"
        );
        assert_eq!(
            of("Spectrum of exc.rate", "exc.rate: peak at 40.2 Hz; 3 bands", 34),
            "Spectrum of exc…: peak at 40.2 Hz…"
        );
        assert_eq!(of("Spectrum of exc.rate", "peak at 40.2 Hz; 3 bands", 20), "peak at 40.2 Hz; 3 …");
        assert_eq!(of("Spectrum of exc.rate", "the highest peak is at 40.2 Hz", 12), "…at 40.2 Hz");
        assert_eq!(of("Run", "", 12), "Run");
        assert_eq!(of("A very long name of a pane", "", 12), "A very long…");
        assert_eq!(of("Rates", "no unit fired", 40), "Rates: no unit fired");
        assert_eq!(of("Rates", "exc[3].x1: 1,234 Hz, 2 of 9", 40), "Rates: exc[3].x1: 1,234 Hz, 2 of 9");
    }

    /// Whatever the width, a number that fits is there whole, and nothing is wider than the line.
    #[test]
    fn the_number_is_never_cut_away() {
        let cases = [
            ("Transfer entropy", "first.x->second.x: 0.05397 bits, chance 9.5e-5", "0.05397 bits"),
            ("Spikes", "1443 spikes of 4000 units", "1443"),
            (
                "Speed of the front in medium.v",
                "the front of medium.v moves at 0.8044 mm/s over 30 cells",
                "0.8044 mm/s",
            ),
            ("Größe", "die Größe von β ist 12 mV", "12 mV"),
            ("Order", "exc2.spikes is locked at 1,250.5 Hz", "1,250.5 Hz"),
        ];
        for (title, words, number) in cases {
            for width in 0..100 {
                let (name, finding) = heading(title, words, width);
                assert!(name.width() + finding.width() <= width.max(1), "{width}: {name}{finding}");
                assert!(width < number.width() + 2 || finding.contains(number), "{width}: {name}{finding}");
            }
        }
    }
}
