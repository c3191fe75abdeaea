//! Whatever becomes of this process, by a kill too, its servers end and its files go.
//!
//! A shell waits beside it for the end of its standard input, which this process holds open. Until then it is told
//! which processes have been started and ended; then it ends those that are left, and removes the folder.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use tempfile::TempDir;

/// The argument is the folder.
const SCRIPT: &str = r#"
trap '' INT TERM HUP PIPE
running=" "
while read -r sign process; do
    case $sign in
        +) running="$running$process " ;;
        -) running="${running%% $process *} ${running#* $process }" ;;
    esac
done
for process in $running; do
    kill -9 "$process" 2>/dev/null
done
rm -rf "$1"
"#;

struct Guard {
    folder: PathBuf,
    told: Mutex<ChildStdin>,
    _shell: Child,
}

static GUARD: LazyLock<Guard> = LazyLock::new(|| {
    let folder = tempfile::Builder::new().prefix("handslag-bench-").tempdir();
    // From here on the shell removes it.
    let folder = folder.expect("a temporary folder can be made").keep();
    let mut shell = Command::new("sh")
        .args(["-c", SCRIPT, "handslag-bench"])
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // An interrupt from the keyboard goes to this process alone; the shell learns of it by the pipe.
        .process_group(0)
        .spawn()
        .expect("there is a shell");
    let told = Mutex::new(shell.stdin.take().expect("piped above"));
    Guard { folder, told, _shell: shell }
});

/// Begins to guard, so that no measurement pays for it.
pub(crate) fn start() {
    LazyLock::force(&GUARD);
}

/// A folder for data, removed when it is dropped.
pub(crate) fn folder() -> TempDir {
    TempDir::new_in::<&Path>(&GUARD.folder).expect("a temporary folder can be made")
}

/// A process has been started.
pub(crate) fn started(process: &Child) {
    tell('+', process);
}

/// A process is about to be ended and waited for. Told before, since after that its number may be another's.
pub(crate) fn ending(process: &Child) {
    tell('-', process);
}

fn tell(sign: char, process: &Child) {
    let mut told = GUARD.told.lock().unwrap_or_else(PoisonError::into_inner);
    // Without a shell everything goes on as it does with one, until this process is killed.
    let _ = writeln!(told, "{sign} {}", process.id());
}
