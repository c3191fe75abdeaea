//! Whoever runs the program: where their own files go, and what language they read. For the commands that are clients
//! of a service elsewhere; a service itself has nothing there.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folders of whoever runs the program.
#[derive(Clone, Debug)]
pub struct Home {
    /// What is kept: profiles.
    pub config: PathBuf,
    /// What can be fetched again: access tokens.
    pub cache: PathBuf,
}

impl Home {
    /// By the XDG base directory specification, or where Windows has such files; none if the environment names no
    /// such folder.
    pub fn find() -> Option<Self> {
        let (config, cache) = if cfg!(windows) {
            (folder("APPDATA"), folder("LOCALAPPDATA"))
        } else {
            let home = folder("HOME");
            let or_below =
                |name: &str, below: &str| folder(name).or_else(|| Some(home.as_ref()?.join(below)));
            (or_below("XDG_CONFIG_HOME", ".config"), or_below("XDG_CACHE_HOME", ".cache"))
        };
        Some(Self { config: config?.join("handslag"), cache: cache?.join("handslag") })
    }
}

/// Whether the locale is Swedish; the first of its variables that says anything counts (POSIX, section 8.2).
pub fn reads_swedish() -> bool {
    let said = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(variable);
    said.is_some_and(|locale| locale.to_string_lossy().to_ascii_lowercase().starts_with("sv"))
}

/// A path that is not absolute counts as none, as the specification wants it.
fn folder(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The number of the user who became another by `sudo`.
#[cfg(unix)]
pub fn user_before_sudo() -> Option<u32> {
    variable("SUDO_UID")?.to_str()?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
