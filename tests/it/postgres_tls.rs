//! TLS to PostgreSQL, as `docs/OPERATIONS.md` asks for it over an open network: with the feature `postgres-tls` only.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Bool;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use handslag::store::{self, Conn, Store};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::support::{Database, until};

/// An authority, and a server's certificate and key that it vouches for, all in PEM.
struct Vouched {
    authority: String,
    certificate: String,
    key: String,
}

fn vouched(by: &str) -> Vouched {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    // Of the same name as what it signs it would be taken for that.
    params.distinguished_name.push(DnType::CommonName, by);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&own, &issuer).unwrap().pem();
    Vouched { authority, certificate, key: own.serialize_pem() }
}

/// Has the server of the run write a file that only it can read.
fn write(conn: &mut Conn, name: &str, pem: &str) {
    let statement = format!(
        "COPY (SELECT unnest(string_to_array('{pem}', E'\\n'))) TO PROGRAM 'umask 077; cat > {name}'"
    );
    conn.batch_execute(&statement).unwrap();
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    ssl: bool,
}

/// Whether a connection by this address is encrypted; why there is none.
fn is_encrypted(url: &str) -> Result<bool, String> {
    let store = Store::open(store::Database::Postgres(url.to_owned())).map_err(|error| error.to_string())?;
    let Conn::Postgres(conn) = &mut store.connect().map_err(|error| error.to_string())? else {
        unreachable!()
    };
    let row: Row =
        sql_query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").get_result(conn).unwrap();
    Ok(row.ssl)
}

#[test]
fn the_server_is_believed_only_if_somebody_vouches_for_it_by_its_name() {
    let Some(database) = Database::postgres("the_server_is_believed") else { return };
    let store::Database::Postgres(plain) = database.address() else { panic!("it is PostgreSQL") };
    let vouched = vouched("own authority");
    let mut conn = database.open().connect().unwrap();
    write(&mut conn, "server.crt", &vouched.certificate);
    write(&mut conn, "server.key", &vouched.key);
    for statement in ["ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"] {
        conn.batch_execute(statement).unwrap();
    }
    let authority = |name: &str, pem: &str| {
        let path = database.folder().join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    let (own, other) = (
        authority("ca.pem", &vouched.authority),
        authority("other.pem", &self::vouched("another authority").authority),
    );
    let by_name = plain.replacen("127.0.0.1", "localhost", 1);
    let with =
        |url: &str, mode: &str, root: &Path| format!("{url}?sslmode={mode}&sslrootcert={}", root.display());
    until("the server takes TLS", || is_encrypted(&with(&by_name, "require", &own)).ok());

    assert_eq!(is_encrypted(&with(&by_name, "verify-full", &own)), Ok(true));
    assert_eq!(is_encrypted(&with(&plain, "verify-ca", &own)), Ok(true), "another name, the right authority");
    let refused = |url: &str| is_encrypted(url).expect_err(url);
    assert!(refused(&with(&plain, "verify-full", &own)).contains("does not match"), "another name");
    assert!(refused(&with(&by_name, "verify-full", &other)).contains("certificate verify failed"));
    assert!(refused(&with(&by_name, "verify-ca", &other)).contains("certificate verify failed"));
}
