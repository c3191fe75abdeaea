//! Readers may go another way to the database than the writer, such as through a pooler.

use diesel::RunQueryDsl;
use handslag::store::{self, Conn, Store};

use crate::support::Database;

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// By what name the server knows the one at the other end.
fn name(conn: &mut Conn) -> Result<String, store::Error> {
    let Conn::Postgres(conn) = conn else { panic!("the test's own database is PostgreSQL") };
    let asked: Name =
        diesel::sql_query("SELECT current_setting('application_name') AS name").get_result(conn)?;
    Ok(asked.name)
}

#[test]
fn readers_go_their_own_way_and_the_writer_does_not() {
    let Some(database) = Database::postgres("readers_go_their_own_way_and_the_writer_does_not") else {
        return;
    };
    let store::Database::Postgres(url) = database.address() else { panic!("made so above") };
    let way = |name: &str| store::Database::Postgres(format!("{url}?application_name={name}"));
    let store = Store::open_with_readers(way("writer"), way("reader")).unwrap();
    assert_eq!(store.read(name).unwrap(), "reader");
    assert_eq!(store.snapshot(name).unwrap(), "reader");
    assert_eq!(name(&mut store.connect().unwrap()).unwrap(), "writer");
    let one = Store::open(way("both")).unwrap();
    assert_eq!(one.read(name).unwrap(), name(&mut one.connect().unwrap()).unwrap());
}
