//! Axes of a sweep, as they are typed and as a scenario has them.

/// The path of the axis that a parameter is swept along.
pub fn axis_of(path: &str) -> String {
    if path.starts_with("sweep.axes.") { path.to_owned() } else { format!("sweep.axes.\"{path}\"") }
}

/// An axis as it is typed, of what TOML has.
pub fn axis_typed(text: &str) -> String {
    let Ok(table) = format!("axis = {text}").parse::<toml::Table>() else { return text.to_owned() };
    let plain = |v: &toml::Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    match table.get("axis") {
        Some(toml::Value::Array(list)) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        Some(toml::Value::Table(t)) => match (t.get("from"), t.get("to"), t.get("steps")) {
            (Some(from), Some(to), Some(steps)) => format!("{} .. {} / {steps}", plain(from), plain(to)),
            _ => text.to_owned(),
        },
        _ => text.to_owned(),
    }
}

/// An axis in TOML, of what was typed: `10 ms .. 30 ms / 5`, or values with commas.
pub fn axis_written(typed: &str) -> String {
    let value = |text: &str| {
        let text = text.trim();
        let is_toml = format!("v = {text}").parse::<toml::Table>().is_ok();
        if is_toml { text.to_owned() } else { toml::Value::String(text.to_owned()).to_string() }
    };
    match typed.split_once("..") {
        Some((from, rest)) => {
            // `1/ms` has a stroke of its own: what is behind the last one counts if it is a whole number.
            let (to, steps) = match rest.rsplit_once('/') {
                Some((to, steps)) if steps.trim().parse::<u32>().is_ok() => (to, steps.trim()),
                _ => (rest, "5"),
            };
            format!("{{ from = {}, to = {}, steps = {steps} }}", value(from), value(to))
        }
        None if typed.trim_start().starts_with(['[', '{']) => typed.trim().to_owned(),
        None => format!("[{}]", typed.split(',').map(value).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_comes_back_as_it_was() {
        for (typed, toml) in [
            ("10 ms .. 30 ms / 5", "{ from = \"10 ms\", to = \"30 ms\", steps = 5 }"),
            ("1 .. 2 / 3", "{ from = 1, to = 2, steps = 3 }"),
            ("1/ms .. 3/ms / 4", "{ from = \"1/ms\", to = \"3/ms\", steps = 4 }"),
            ("5 ms, 7 ms", "[\"5 ms\", \"7 ms\"]"),
            ("true, false", "[true, false]"),
        ] {
            assert_eq!(axis_written(typed), toml);
            assert_eq!(axis_typed(toml), typed);
        }
        assert_eq!(axis_written("1/ms .. 3/ms"), "{ from = \"1/ms\", to = \"3/ms\", steps = 5 }");
        assert_eq!(axis_of("a.b"), "sweep.axes.\"a.b\"");
    }
}
