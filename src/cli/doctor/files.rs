//! The data folder, the keys in it, the settings file, and the space there is.

use std::fs;
use std::path::Path;

use super::Finding;
use crate::config::Settings;
use crate::identity::{Purpose, SigningKey};
use crate::store::Database;

/// Bytes that should be free: writes stop when there are none.
#[cfg(unix)]
const SPACE: u64 = 1 << 30;
/// Bytes without which the service should not be started.
#[cfg(unix)]
const LEAST_SPACE: u64 = 64 << 20;

pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![folder(&settings.data_dir)];
    findings.extend(keys(&settings.data_dir));
    if let Database::Sqlite(file) = &settings.database {
        let advice =
            "Run chmod 600 on it. It holds every ballot and text: whoever could read it may have a copy.";
        findings.extend(file.exists().then(|| private("database-file", file, advice)));
        let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        findings.extend(space(folder));
    }
    findings.extend(settings_file(settings));
    findings
}

fn folder(folder: &Path) -> Finding {
    const CHECK: &str = "data-folder";
    let name = folder.display();
    match fs::metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let advice = "It is made at the first start, if the folder above may be written to.";
            Finding::warn(CHECK, format!("{name} is not there"), advice)
        }
        Err(error) => Finding::fail(CHECK, format!("{name}: {error}"), "Give the service's user the folder."),
        Ok(found) if !found.is_dir() => {
            Finding::fail(CHECK, format!("{name} is no folder"), "Name another with --data-dir.")
        }
        Ok(_) if !is_writable(folder) => {
            let advice = "Make the service's user its owner (chown), or run this as that user.";
            Finding::fail(CHECK, format!("{name} cannot be written to"), advice)
        }
        Ok(_) => Finding::ok(CHECK, format!("{name} can be written to")),
    }
}

#[cfg(unix)]
fn is_writable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(_: &Path) -> bool {
    true
}

fn keys(data_dir: &Path) -> Vec<Finding> {
    const CHECK: &str = "keys";
    let folder = data_dir.join("keys");
    let mut findings = Vec::new();
    let Ok(entries) = fs::read_dir(&folder) else {
        let advice =
            "They are made at the first start. On another machine of the same service: copy them there.";
        return vec![Finding::warn(CHECK, format!("{} is not there", folder.display()), advice)];
    };
    let mut paths: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    let advice = "Run chmod 600 on it. If others could read a key, replace it.";
    findings.extend(paths.iter().map(|path| private(CHECK, path, advice)));
    for purpose in [Purpose::Tokens, Purpose::Log] {
        if let Err(error) = SigningKey::load(data_dir, purpose) {
            let advice = "Restore it from its copy, or correct its mode; a new one makes all tokens that are out void.";
            findings.push(Finding::fail(CHECK, error.to_string(), advice));
        }
    }
    findings
}

/// Whether only its owner may read a file.
fn private(check: &'static str, path: &Path, advice: &'static str) -> Finding {
    let name = path.display();
    match mode(path) {
        Err(error) => Finding::fail(check, format!("{name}: {error}"), "Give the service's user the file."),
        Ok(Some(mode)) if mode & 0o077 != 0 => Finding::fail(
            check,
            format!("{name} can be read by others than its owner (mode {mode:o})"),
            advice,
        ),
        Ok(_) => Finding::ok(check, format!("{name} is for its owner only")),
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> std::io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;
    Ok(Some(fs::metadata(path)?.permissions().mode() & 0o777))
}

#[cfg(not(unix))]
fn mode(path: &Path) -> std::io::Result<Option<u32>> {
    fs::metadata(path).map(|_| None)
}

#[cfg(unix)]
fn space(folder: &Path) -> Option<Finding> {
    const CHECK: &str = "disk-space";
    const ADVICE: &str = "Make room or move the database: writes are refused with 507 when there is none.";
    let found = rustix::fs::statvfs(folder).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let what = format!("{} MiB are free for the database", free >> 20);
    Some(match free {
        ..LEAST_SPACE => Finding::fail(CHECK, what, ADVICE),
        LEAST_SPACE..SPACE => Finding::warn(CHECK, what, ADVICE),
        SPACE.. => Finding::ok(CHECK, what),
    })
}

#[cfg(not(unix))]
fn space(_: &Path) -> Option<Finding> {
    None
}

fn settings_file(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "settings-file";
    let file = settings.secret_file.as_ref()?;
    let name = file.path().display();
    Some(match file.open_to_all() {
        Ok(Some(mode)) => Finding::warn(
            CHECK,
            format!("{name} holds a password and can be read by everybody (mode {mode:o})"),
            "Run chmod 640 on it, with the service's group.",
        ),
        Ok(None) | Err(_) => Finding::ok(CHECK, format!("{name} holds a password and is not for everybody")),
    })
}
