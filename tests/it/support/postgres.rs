//! One PostgreSQL server for the whole run, started by the first test that needs it, with a folder and a port
//! of its own.
//!
//! A shell waits beside it for the end of its standard input, which this process holds open and never writes
//! to. However this process ends, by a kill too, the system closes that pipe; then the shell stops the server
//! and removes the folder.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use super::in_ci;

/// The arguments are the folder of PostgreSQL's programs, the server's folder and its port. PostgreSQL refuses
/// to be run by root.
const GUARD: &str = r#"
trap '' INT TERM HUP PIPE
programs=$1 folder=$2 port=$3 as=
if [ "$(id -u)" = 0 ]; then
    as="runuser -u postgres --"
    chown postgres "$folder"
fi
cd "$folder" || exit 1
if $as "$programs/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-sync \
        </dev/null >"$folder/init.log" 2>&1 &&
    sed -i '1i host all with_password all scram-sha-256' "$folder/data/pg_hba.conf" &&
    $as "$programs/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w -t 60 -o \
        "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='$folder' -c max_connections=300" \
        start </dev/null >"$folder/start.log" 2>&1
then
    echo ready 2>/dev/null
else
    cat "$folder"/*.log | tr '\n' ' '
    echo
fi
cat >/dev/null
$as "$programs/pg_ctl" -D "$folder/data" -m immediate -w stop </dev/null >/dev/null 2>&1
cd /
rm -rf "$folder"
"#;

/// A server that lives as long as this process.
struct Server {
    port: u16,
    /// Its standard input is what keeps the server alive.
    _guard: Child,
}

/// What became of the server: it runs, or why it does not.
static SERVER: LazyLock<Result<Server, String>> = LazyLock::new(Server::start);

impl Server {
    fn start() -> Result<Self, String> {
        let programs = programs().ok_or("there is no initdb in PATH or /usr/lib/postgresql")?;
        let folder = tempfile::Builder::new().prefix("handslag-postgres-").tempdir();
        let folder = folder.map_err(|error| error.to_string())?;
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| error.to_string())?.port();
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "handslag-postgres"])
            .args([programs.as_path(), folder.path()])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // An interrupt from the keyboard goes to this process alone; the guard learns of it by the pipe.
            .process_group(0)
            .spawn()
            .map_err(|error| error.to_string())?;
        // From here on the guard removes it: a destructor would not run when this process is killed.
        let _ = folder.keep();
        let said = BufReader::new(guard.stdout.take().expect("piped above")).lines().next();
        match said {
            Some(Ok(line)) if line == "ready" => Ok(Self { port, _guard: guard }),
            Some(Ok(line)) => Err(line),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("PostgreSQL's guard ended without a word".to_owned()),
        }
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn execute(&self, statement: &str) {
        let conn = PgConnection::establish(&self.url("postgres"));
        let mut conn = conn.expect("the test run's PostgreSQL takes connections");
        conn.batch_execute(statement).expect("the test run's PostgreSQL does as it is told");
    }
}

/// The folder of PostgreSQL's programs: that of PATH, else the newest of a Debian machine.
fn programs() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "where the machine has its programs is no setting of ours")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let complete = |folder: &Path| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
    if let Some(folder) = std::env::split_paths(&path).find(|folder| complete(folder)) {
        return Some(folder);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.map(|entry| entry.path()).filter(|path| complete(&path.join("bin")));
    newest.max_by_key(number).map(|path| path.join("bin"))
}

/// A database of the server, dropped with this.
pub(super) struct OwnDatabase {
    server: &'static Server,
    name: String,
}

impl OwnDatabase {
    /// A new database; none where there is no PostgreSQL.
    ///
    /// In CI that is a failure: a test that was skipped has proven nothing.
    pub(super) fn new(test: &str) -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let server = match &*SERVER {
            Ok(server) => server,
            Err(reason) => {
                assert!(!in_ci(), "PostgreSQL is needed in CI: {reason}");
                super::skipped(test, &format!("no PostgreSQL here: {reason}"));
                return None;
            }
        };
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed));
        server.execute(&format!("CREATE DATABASE {name}"));
        Some(Self { server, name })
    }

    pub(super) fn url(&self) -> String {
        self.server.url(&self.name)
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.server.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}
