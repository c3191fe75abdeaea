//! The arrows between the layers point inwards, and `tally` and `domain` know nothing of the world outside.
//!
//! Read from the source as text. When this complains, move the code rather than the arrow.

use std::path::{Path, PathBuf};

/// What each layer may name of the crate, besides itself.
const ARROWS: [(&str, &[&str]); 13] = [
    ("tally", &[]),
    ("domain", &[]),
    ("ballotfile", &["domain", "tally"]),
    ("store", &["domain"]),
    ("service", &["domain", "store", "tally"]),
    // What it does is counted; metrics know nothing of it.
    ("board", &["domain", "service", "tally", "export", "observe", "store", "identity"]),
    // Documents are written from the read models of the service.
    ("export", &["domain", "tally", "service"]),
    ("identity", &["domain"]),
    ("config", &["store"]),
    ("observe", &["config"]),
    ("http", &["config", "domain", "board", "service", "export", "identity", "observe", "tally", "store"]),
    (
        "cli",
        &[
            "ballotfile",
            "board",
            "config",
            "domain",
            "export",
            "http",
            "identity",
            "observe",
            "service",
            "store",
            "tally",
        ],
    ),
    // `lib.rs` declares the layers, `main.rs` starts the program.
    ("", &["cli"]),
];

/// The outside crates that a layer may name; layers that are not here may name any, except as the bans say.
const OUTSIDE: [(&str, &[&str]); 2] = [
    ("tally", &["num_bigint", "num_integer", "num_rational", "num_traits", "rayon", "thiserror"]),
    ("domain", &["chrono", "thiserror"]),
];

/// A word, whether a path may hold it, and what is to be done instead.
type Ban = (&'static str, fn(&str) -> bool, &'static str);

/// Words that may stand only in some files.
const BANS: [Ban; 9] = [
    ("serde", |path| !inner(path), "documents are written by export"),
    ("diesel", |path| path.starts_with("store/"), "queries live in store"),
    ("actix_web", |path| !inner(path) && !middle(path), "HTTP ends in http"),
    ("actix_rt", |path| !inner(path) && !middle(path), "HTTP ends in http"),
    ("tokio", |path| !inner(path) && !middle(path), "waiting ends in board and http"),
    ("Utc::now", |path| path == "service/clock.rs", "pass `now: Instant` in, or ask service::Clock"),
    ("SystemTime::now", |path| path == "service/clock.rs", "as Utc::now"),
    ("f32", |path| !path.starts_with("tally/"), "count with fractions"),
    ("f64", |path| !path.starts_with("tally/"), "count with fractions"),
];

fn inner(path: &str) -> bool {
    path.starts_with("tally/") || path.starts_with("domain/")
}

fn middle(path: &str) -> bool {
    ["service/", "store/", "export/"].iter().any(|layer| path.starts_with(layer))
}

#[test]
fn every_arrow_points_inwards() {
    let allowed = |layer: &str| ARROWS.iter().find(|(name, _)| *name == layer).map(|(_, inside)| *inside);
    check(|path, code| {
        let layer = path.split_once('/').map_or("", |(layer, _)| layer);
        let Some(inside) = allowed(layer) else { return vec![format!("there is no layer {layer}")] };
        let depth =
            path.trim_end_matches("mod.rs").matches('/').count() + usize::from(!path.ends_with("mod.rs"));
        let root = if layer.is_empty() { "handslag::".to_owned() } else { "super::".repeat(depth) };
        let named = heads(code, "crate::").into_iter().chain(heads(code, &root));
        named
            .filter(|name| *name != layer && !inside.contains(name))
            .map(|name| format!("{layer} may not name {name:?} of the crate"))
            .collect()
    });
}

#[test]
fn tally_and_domain_name_few_outside_crates() {
    let crates = dependencies();
    assert!(crates.len() > 20 && crates.contains(&"actix_web".to_owned()), "{crates:?}");
    check(|path, code| {
        let outside = OUTSIDE.iter().find(|(layer, _)| path.starts_with(&format!("{layer}/")));
        let Some((layer, may)) = outside else { return Vec::new() };
        // A path of the crate, not a method or a field of the same name.
        let named = |name: &String| names(code, &format!("{name}::")) || names(code, &format!("use {name}"));
        let named = crates.iter().filter(|name| !may.contains(&name.as_str()) && named(name));
        named.map(|name| format!("{layer} may not name the crate {name}")).collect()
    });
}

#[test]
fn banned_words_stand_only_where_they_may() {
    check(|path, code| {
        let found = BANS.iter().filter(|(word, may, _)| !may(path) && names(code, word));
        found.map(|(word, _, instead)| format!("{word}: {instead}")).collect()
    });
}

#[test]
fn the_reader_of_arrows_sees_every_form() {
    assert_eq!(heads("use crate::store::Conn;", "crate::"), ["store"]);
    assert_eq!(heads("f(crate::http::x(), $crate::board::y)", "crate::"), ["http", "board"]);
    assert_eq!(heads("use crate::{self, cli, tally::{Rule, rules}};", "crate::"), ["self", "cli", "tally"]);
    assert!(names("use serde::Serialize;", "serde") && names("serde_json::to_vec", "serde_json"));
    assert!(!names("serde_json::to_vec", "serde") && !names("a deserialize_as", "serialize"));
}

/// Runs a check over the code of every file under `src`, and fails with all that it finds.
#[track_caller]
fn check(faults: impl Fn(&str, &str) -> Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files(&root);
    assert!(files.len() > 80, "only {} files under src", files.len());
    let mut found = Vec::new();
    for file in files {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        for (number, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            found.extend(
                faults(&path, code).iter().map(|fault| format!("src/{path}:{}: {fault}", number + 1)),
            );
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// The names right after a prefix such as `crate::`, those of a group in braces too.
fn heads<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let head = |path: &'a str| path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next();
    code.split(prefix)
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            None => head(rest).into_iter().collect::<Vec<_>>(),
            Some(group) => {
                let mut depth = 0;
                let outer = group.split(|c: char| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    c == ',' && depth == 0
                });
                outer.filter_map(head).filter(|name| !name.is_empty()).collect()
            }
        })
        .collect()
}

/// Whether the word stands in the code as a word of its own.
fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part))
}

/// The crates that the manifest names, as code writes them.
fn dependencies() -> Vec<String> {
    let manifest: toml::Table = include_str!("../../Cargo.toml").parse().unwrap();
    manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect()
}
