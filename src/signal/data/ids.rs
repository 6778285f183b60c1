//! Ids of units as files have them: numbers, or names.

use std::cmp::Ordering;

use super::Refused;

/// The id of each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Ids {
    /// Whole numbers.
    Numbers(Vec<i64>),
    /// Names, and which of them each row has.
    Names {
        /// The different names, in their natural order (`ch_2` before `ch_10`).
        names: Vec<String>,
        /// Index into `names` of each row.
        codes: Vec<u32>,
    },
}

/// The units that ids mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    /// The unit of each row.
    pub units: Vec<u32>,
    /// Number of units: one more than the greatest, or as many as there are names.
    pub count: usize,
    /// What should be known of it.
    pub note: Option<String>,
    /// What the units are called, where that is not their number; else empty.
    pub names: Vec<String>,
}

impl Ids {
    /// Units of a population of `size`, which is called `whose`: a number less `first`, or the place of a name in
    /// order; with `in_order` the place of a number in order too.
    ///
    /// # Errors
    /// A number outside the population, more names than units.
    pub fn within(&self, size: usize, whose: &str, first: i64, in_order: bool) -> Result<Numbered, Refused> {
        match self {
            Self::Numbers(ids) if !in_order => {
                let last = i128::from(first) + size as i128 - 1;
                if let Some(at) = ids.iter().position(|id| *id < first || i128::from(*id) > last) {
                    let bad = ids[at];
                    let (low, high) = bounds(ids);
                    let range = if first == 0 {
                        format!("units of `{whose}` are numbered from 0 to {}", size.saturating_sub(1))
                    } else {
                        format!("with `first_id = {first}` those of `{whose}` are {first} to {last}")
                    };
                    let help = if i128::from(high) - i128::from(low) < size as i128 {
                        format!(
                            "its ids are {low} to {high}: `first_id = {low}` says that {low} is unit 0, \
                             `ids = \"in_order\"` that the smallest id is unit 0, the next unit 1, and so on"
                        )
                    } else {
                        format!(
                            "its ids are {low} to {high}; `ids = \"in_order\"` numbers them in their order, if \
                             they are at most {size}"
                        )
                    };
                    return Err(Refused::new(format!("this file names unit {bad}; {range}"), help).in_row(at));
                }
                let units = ids.iter().map(|id| (id - first) as u32).collect();
                Ok(Numbered { units, count: size, note: None, names: Vec::new() })
            }
            _ => {
                let numbered = self.in_order();
                if numbered.count > size {
                    return Err(Refused::new(
                        format!("this file has {} different ids, and `{whose}` has {size} units", numbered.count),
                        "one id is one unit; give the population as many, or choose rows of the file",
                    ));
                }
                Ok(numbered)
            }
        }
    }

    /// The place of each id among the different ones, ascending.
    pub fn in_order(&self) -> Numbered {
        match self {
            Self::Numbers(ids) => {
                let mut known: Vec<i64> = ids.clone();
                known.sort_unstable();
                known.dedup();
                let place = |id: &i64| known.partition_point(|k| k < id) as u32;
                let first: Vec<String> = known.iter().take(3).map(ToString::to_string).collect();
                let called = !known.is_empty() && known != (0..known.len() as i64).collect::<Vec<_>>();
                let note = called.then(|| in_words(&first.iter().map(String::as_str).collect::<Vec<_>>(), known.len()));
                let names = if called { known.iter().map(ToString::to_string).collect() } else { Vec::new() };
                Numbered { units: ids.iter().map(place).collect(), count: known.len(), note, names }
            }
            Self::Names { names, codes } => {
                let first: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
                let note = (!names.is_empty()).then(|| in_words(&first, names.len()));
                Numbered { units: codes.clone(), count: names.len(), note, names: names.clone() }
            }
        }
    }

    /// The ids of these rows alone.
    #[must_use]
    pub fn of_rows(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numbers(ids) => Self::Numbers(rows.iter().map(|&r| ids[r]).collect()),
            Self::Names { names, codes } => Self::named(names, &rows.iter().map(|&r| codes[r]).collect::<Vec<_>>()),
        }
    }

    /// Names in natural order; those that no row has are left out.
    pub(super) fn named(names: &[String], codes: &[u32]) -> Self {
        let mut used = vec![false; names.len()];
        for &code in codes {
            used[code as usize] = true;
        }
        let mut order: Vec<usize> = (0..names.len()).filter(|&k| used[k]).collect();
        order.sort_by(|&a, &b| natural(&names[a], &names[b]));
        let mut place = vec![0; names.len()];
        for (at, &k) in order.iter().enumerate() {
            place[k] = at as u32;
        }
        Self::Names {
            names: order.iter().map(|&k| names[k].clone()).collect(),
            codes: codes.iter().map(|&c| place[c as usize]).collect(),
        }
    }
}

/// `ch_0` is unit 0, ... in words.
fn in_words(first: &[&str], count: usize) -> String {
    let mut list: Vec<String> = first.iter().enumerate().map(|(k, name)| format!("`{name}` is unit {k}")).collect();
    if count > first.len() {
        list.push(format!("and so on, {count} units"));
    }
    format!("units are numbered in the order of their ids: {}", list.join(", "))
}

/// The smallest and the greatest; 0 of nothing.
fn bounds(ids: &[i64]) -> (i64, i64) {
    ids.iter()
        .fold(None, |b: Option<(i64, i64)>, &id| Some(b.map_or((id, id), |(l, h)| (l.min(id), h.max(id)))))
        .unwrap_or((0, 0))
}

/// Digits count as numbers: `ch_2` stands before `ch_10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        match (left.chars().next(), right.chars().next()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (m, n) = (digits(left), digits(right));
                let (p, q) = (left[..m].trim_start_matches('0'), right[..n].trim_start_matches('0'));
                let order = p.len().cmp(&q.len()).then_with(|| p.cmp(q));
                if order != Ordering::Equal {
                    return order;
                }
                (left, right) = (&left[m..], &right[n..]);
            }
            (Some(x), Some(y)) => {
                if x != y {
                    return x.cmp(&y);
                }
                (left, right) = (&left[x.len_utf8()..], &right[y.len_utf8()..]);
            }
        }
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}
