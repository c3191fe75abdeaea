//! A database of one test's own, on either of the two, and the macro that makes a test for each.

use std::path::Path;
use std::sync::Arc;

use handslag::store::{self, Store};
use tempfile::TempDir;

use super::postgres;

/// A database that only one test uses. It is gone when the last copy of this is.
#[derive(Clone)]
pub(crate) struct Database(Arc<Inner>);

struct Inner {
    address: store::Database,
    /// The signing key too, so that a service which starts again believes the tokens of before.
    folder: TempDir,
    _server: Option<postgres::OwnDatabase>,
    /// Whose database it is, if it is another's.
    _of: Option<Database>,
}

impl Database {
    /// A file in a folder of its own.
    pub(crate) fn sqlite() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let address = store::Database::Sqlite(folder.path().join("handslag.db"));
        Self(Arc::new(Inner { address, folder, _server: None, _of: None }))
    }

    /// A file in a folder below the data folder, where another file system can be put.
    pub(crate) fn sqlite_below(name: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        std::fs::create_dir(folder.path().join(name)).expect("a folder in an empty one");
        let address = store::Database::Sqlite(folder.path().join(name).join("handslag.db"));
        Self(Arc::new(Inner { address, folder, _server: None, _of: None }))
    }

    /// A database of the run's PostgreSQL server; none where there is no PostgreSQL, which is told.
    pub(crate) fn postgres(test: &str) -> Option<Self> {
        let server = postgres::OwnDatabase::new(test)?;
        let folder = TempDir::new().expect("a temporary folder can be made");
        let address = store::Database::Postgres(server.url());
        Some(Self(Arc::new(Inner { address, folder, _server: Some(server), _of: None })))
    }

    /// The same database, for an instance with a data folder of its own.
    pub(crate) fn of_another_instance(&self) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let address = self.address();
        Self(Arc::new(Inner { address, folder, _server: None, _of: Some(self.clone()) }))
    }

    /// The same database on PostgreSQL, as another role sees it.
    pub(crate) fn as_role(&self, role: &str) -> Self {
        let store::Database::Postgres(url) = self.address() else { panic!("SQLite has no roles") };
        let address = store::Database::Postgres(url.replacen("postgres@", &format!("{role}@"), 1));
        let folder = TempDir::new().expect("a temporary folder can be made");
        Self(Arc::new(Inner { address, folder, _server: None, _of: Some(self.clone()) }))
    }

    /// Opens it, with the schema brought up to date.
    pub(crate) fn open(&self) -> Store {
        Store::open(self.address()).expect("the test's own database opens")
    }

    /// How the service is told of it.
    pub(crate) fn address(&self) -> store::Database {
        self.0.address.clone()
    }

    /// Whether it is a file.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.0.address, store::Database::Sqlite(_))
    }

    /// The folder that is the service's data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.0.folder.path()
    }
}

/// Makes `name::sqlite` and `name::postgres` of each test.
macro_rules! on_both_databases {
    ($($(#[$attribute:meta])* fn $name:ident($database:ident: Database) $body:block)+) => {$(
        fn $name($database: $crate::support::Database) $body

        mod $name {
            $(#[$attribute])*
            #[test]
            fn sqlite() {
                super::$name($crate::support::Database::sqlite());
            }

            $(#[$attribute])*
            #[test]
            fn postgres() {
                let name = concat!(module_path!(), "::postgres");
                if let Some(database) = $crate::support::Database::postgres(name) {
                    super::$name(database);
                }
            }
        }
    )+};
}
pub(crate) use on_both_databases;
