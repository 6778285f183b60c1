//! What the program is built from: every package has a licence that is allowed and a source that is known, and
//! `data/third-party.md`, the notices that go with the binary, names all of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::update_pages;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A package of the binary.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
    source: String,
}

/// All packages that are linked into the program on Linux.
fn packages() -> BTreeSet<Package> {
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal,no-proc-macro",
        "-p",
        "spikedeck",
        "--prefix",
        "none",
    ]);
    command.args(["--target", "x86_64-unknown-linux-gnu", "--format", "{p}|{l}|{r}|"]).current_dir(root());
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let of = |line: &str| {
        let fields: Vec<&str> = line.split('|').collect();
        let (name, version) = fields[0].split_once(" v").unwrap();
        // Old manifests write `MIT/Apache-2.0` for either of the two.
        let licence = fields[1].replace(" / ", " OR ").replace('/', " OR ");
        // What follows the version of a package is the place where it stands, if that is no registry.
        let (version, place) = version.split_once(' ').unwrap_or((version, ""));
        assert!(place.is_empty() || name.starts_with("spikedeck"), "{name} comes from {place}");
        Package { name: name.into(), version: version.into(), licence, source: fields[2].into() }
    };
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().filter(|l| !l.is_empty()).map(of).filter(|p| !p.name.starts_with("spikedeck")).collect()
}

/// Licences that may be met, as `.ci/deny.toml` lists them.
fn allowed() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(".ci/deny.toml")).unwrap();
    let file: toml::Table = text.parse().unwrap();
    let list = file["licenses"]["allow"].as_array().unwrap();
    list.iter().map(|l| l.as_str().unwrap().to_owned()).collect()
}

/// The licences of an SPDX expression that are met with the allowed ones, or nothing if it cannot be met. `AND` binds
/// closer than `OR`.
fn met(expression: &str, allowed: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let words = expression.replace('(', " ( ").replace(')', " ) ");
    let mut words = words.split_whitespace().peekable();
    let found = any_of(&mut words, allowed);
    assert_eq!(words.next(), None, "{expression}");
    found
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let mut found = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        let other = all_of(words, allowed);
        found = found.or(other);
    }
    found
}

fn all_of(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let mut found = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        let other = one(words, allowed);
        found = found.zip(other).map(|(a, b)| a.union(&b).cloned().collect());
    }
    found
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let word = words.next().unwrap();
    if word == "(" {
        let found = any_of(words, allowed);
        assert_eq!(words.next(), Some(")"));
        return found;
    }
    let name = if words.next_if_eq(&"WITH").is_some() {
        format!("{word} WITH {}", words.next().unwrap())
    } else {
        word.into()
    };
    allowed.contains(&name).then(|| BTreeSet::from([name]))
}

#[test]
fn every_licence_is_allowed_and_none_is_allowed_in_vain() {
    let allowed = allowed();
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for package in packages() {
        match met(&package.licence, &allowed) {
            Some(licences) => used.extend(licences),
            None => wrong.push(format!("{} {}: `{}`", package.name, package.version, package.licence)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let idle: Vec<&String> = allowed.difference(&used).collect();
    assert!(idle.is_empty(), "nothing has {idle:?}");
}

#[test]
fn expressions_are_read() {
    let allowed: BTreeSet<String> = ["MIT".to_owned(), "OFL-1.1".to_owned()].into();
    let names = |text: &str| met(text, &allowed).map(|s| s.into_iter().collect::<Vec<_>>().join(" "));
    assert_eq!(names("MIT OR GPL-3.0"), Some("MIT".into()));
    assert_eq!(names("GPL-3.0 OR MIT"), Some("MIT".into()));
    assert_eq!(names("(MIT OR Apache-2.0) AND OFL-1.1"), Some("MIT OFL-1.1".into()));
    assert_eq!(names("MIT AND GPL-3.0"), None);
    assert_eq!(names("Apache-2.0 WITH LLVM-exception"), None);
}

#[test]
fn notices_name_what_the_binary_holds() {
    let mut page = String::from(
        "# What the binary is built from

Packages that are linked into `spikedeck` on Linux, with their licences. Where a \
         licence is a choice, any of
the choices may be taken; where two are joined by AND, both hold. `nucleo-matcher` \
         (MPL-2.0) is used as it is: its
source is where the table says. The fonts of figures are Hack (MIT, and \
         Bitstream Vera's licence) and Ubuntu Light
(Ubuntu Font Licence 1.0), from `epaint_default_fonts`.

Made by \
         `UPDATE_PAGES=1 cargo test --test it`; a test keeps it true.

| package | version | licence | source |
| --- | --- \
         | --- | --- |
",
    );
    for Package { name, version, licence, source } in packages() {
        writeln!(page, "| {name} | {version} | {licence} | {source} |").unwrap();
    }
    let path = root().join("data/third-party.md");
    if update_pages() {
        fs::write(&path, &page).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == page, "data/third-party.md is out of date");
}

/// What is cited and archived is the version that is built, and each crate can be published: it says what it is and
/// under which licence, and names the rooms that it uses with their version.
#[test]
fn the_version_is_one_and_every_crate_says_what_it_is() {
    let version = env!("CARGO_PKG_VERSION");
    let of = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let cited = of("CITATION.cff");
    assert!(cited.lines().any(|l| l == format!("version: {version}")), "CITATION.cff is not of {version}");
    let described: serde_json::Value = serde_json::from_str(&of("codemeta.json")).unwrap();
    assert_eq!(described["version"], version, "codemeta.json");
    let manifest: toml::Table = of("Cargo.toml").parse().unwrap();
    let rooms = manifest["workspace"]["dependencies"].as_table().unwrap().iter();
    let rooms: Vec<_> = rooms.filter(|(name, _)| name.starts_with("spikedeck-")).collect();
    assert!(rooms.len() > 12, "{rooms:?}");
    for (name, room) in rooms {
        assert_eq!(room["version"].as_str(), Some(version), "{name} in Cargo.toml");
        let path = format!("{}/Cargo.toml", room["path"].as_str().unwrap());
        let package = of(&path).parse::<toml::Table>().unwrap()["package"].clone();
        assert_eq!(package["name"].as_str(), Some(name.as_str()), "{path}");
        assert!(package["description"].as_str().is_some_and(|d| !d.is_empty()), "{path} has no description");
        for inherited in ["version", "edition", "rust-version", "license"] {
            assert_eq!(package[inherited]["workspace"].as_bool(), Some(true), "{inherited} in {path}");
        }
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(of(licence).len() > 900, "{licence}");
    }
}
