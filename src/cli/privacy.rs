//! What keeps the keys of a service that runs from leaving it another way than by a signature.

use crate::config::Settings;

/// Sees to it that no dump of the memory is written, and warns of a password that anybody may read. What the system does
/// not allow is told and does not hinder the start.
pub(super) fn protect(settings: &Settings) {
    #[cfg(unix)]
    if let Err(error) = without_dumps() {
        tracing::warn!(%error, "core dumps cannot be turned off: keys could be written to disk in one");
    }
    let Some(file) = &settings.secret_file else { return };
    if let Ok(Some(mode)) = file.open_to_all() {
        let (file, mode) = (file.path().display(), format!("{mode:o}"));
        tracing::warn!(%file, mode, "everybody on the machine may read the database password: run chmod 640 on the file");
    }
}

/// No core file however the process ends. On Linux nor anything that is piped to a program, and nobody but the
/// superuser can look into the memory.
#[cfg(unix)]
fn without_dumps() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
