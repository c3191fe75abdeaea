//! The systems that may ask for tokens, and what they show who they are with.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::readable::each;
use super::schema::{client_credentials, clients};
use super::{Conn, Error, Readable, number, parsed, stored};
use crate::domain::{Client, ClientId, Credential, Instant, ParticipantCode};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = clients, treat_none_as_null = true)]
struct Row {
    id: String,
    kind: String,
    participant: Option<String>,
    scopes: String,
    name: String,
    auth_method: String,
    created_at: NaiveDateTime,
    disabled_at: Option<NaiveDateTime>,
    revision: i32,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = client_credentials)]
struct CredentialRow {
    client_id: String,
    id: String,
    value: String,
    created_at: NaiveDateTime,
    ends_at: Option<NaiveDateTime>,
}

/// Every client, by its id.
pub fn all(conn: &mut Conn) -> Result<Vec<Client>, Error> {
    readable(conn)?.all()
}

/// Every client that can be read, by its id. One of which a credential cannot be read cannot be read either.
pub fn readable(conn: &mut Conn) -> Result<Readable<Client>, Error> {
    let (rows, mut unreadable) = each(
        conn,
        |conn| clients::table.load::<Row>(conn),
        |conn| clients::table.select(clients::id).load::<String>(conn),
        |conn, id| clients::table.find(id).first(conn),
    )?;
    let mut own = credentials(conn, &mut unreadable)?;
    let mut clients = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, own) = (row.id.clone(), own.remove(&row.id).unwrap_or_default());
        if unreadable.iter().any(|(known, _)| *known == id) {
            continue;
        }
        match client(row, own) {
            Ok(client) => clients.push(client),
            Err(error) => unreadable.push((id, error)),
        }
    }
    clients.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Readable { rows: clients, unreadable })
}

/// The credentials of each client; those who have one that cannot be read are told.
fn credentials(
    conn: &mut Conn,
    unreadable: &mut Vec<(String, Error)>,
) -> Result<HashMap<String, Vec<Credential>>, Error> {
    let (rows, faulty) = each(
        conn,
        |conn| client_credentials::table.load::<CredentialRow>(conn),
        |conn| {
            let keys =
                client_credentials::table.select((client_credentials::client_id, client_credentials::id));
            keys.load::<(String, String)>(conn)
        },
        |conn, (client, id)| client_credentials::table.find((client, id)).first(conn),
    )?;
    unreadable.extend(faulty.into_iter().map(|((client, _), error)| (client, error)));
    let mut credentials: HashMap<String, Vec<Credential>> = HashMap::new();
    for row in rows {
        let (client, credential) = credential(row);
        credentials.entry(client).or_default().push(credential);
    }
    Ok(credentials)
}

/// The client of this id.
pub fn find(conn: &mut Conn, id: &ClientId) -> Result<Option<Client>, Error> {
    let Some(row) = clients::table.find(id.as_str()).first::<Row>(conn).optional()? else { return Ok(None) };
    let own = client_credentials::table.filter(client_credentials::client_id.eq(id.as_str()));
    let own = own.load::<CredentialRow>(conn)?.into_iter().map(|row| credential(row).1).collect();
    client(row, own).map(Some)
}

/// Stores a new client with its credentials.
pub fn insert(conn: &mut Conn, client: &Client) -> Result<(), Error> {
    diesel::insert_into(clients::table).values(row(client)).execute(conn)?;
    insert_credentials(conn, client)
}

/// Stores what a client has become, its credentials too.
pub fn update(conn: &mut Conn, client: &Client) -> Result<(), Error> {
    diesel::update(clients::table.find(client.id.as_str())).set(row(client)).execute(conn)?;
    let own = client_credentials::table.filter(client_credentials::client_id.eq(client.id.as_str()));
    diesel::delete(own).execute(conn)?;
    insert_credentials(conn, client)
}

fn insert_credentials(conn: &mut Conn, client: &Client) -> Result<(), Error> {
    for credential in &client.credentials {
        let row = CredentialRow {
            client_id: client.id.to_string(),
            id: credential.id.clone(),
            value: credential.value.clone(),
            created_at: credential.created_at.naive(),
            ends_at: credential.ends_at.map(Instant::naive),
        };
        diesel::insert_into(client_credentials::table).values(row).execute(conn)?;
    }
    Ok(())
}

fn row(client: &Client) -> Row {
    Row {
        id: client.id.to_string(),
        kind: client.kind.to_string(),
        participant: client.participant.as_ref().map(ParticipantCode::qualified),
        scopes: client.scopes.to_string(),
        name: client.name.clone(),
        auth_method: client.method.to_string(),
        created_at: client.created_at.naive(),
        disabled_at: client.disabled_at.map(Instant::naive),
        revision: stored(client.revision),
    }
}

fn credential(row: CredentialRow) -> (String, Credential) {
    let credential = Credential {
        id: row.id,
        value: row.value,
        created_at: row.created_at.into(),
        ends_at: row.ends_at.map(Instant::from),
    };
    (row.client_id, credential)
}

fn client(row: Row, mut credentials: Vec<Credential>) -> Result<Client, Error> {
    credentials.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let participant = row.participant.map(|text| {
        let corrupt = || Error::Corrupt { table: "clients", what: "participant", value: text.clone() };
        ParticipantCode::from_qualified(&text).map_err(|_| corrupt())
    });
    Ok(Client {
        id: parsed("clients", "id", &row.id)?,
        kind: parsed("clients", "kind", &row.kind)?,
        participant: participant.transpose()?,
        scopes: parsed("clients", "scopes", &row.scopes)?,
        name: row.name,
        method: parsed("clients", "method", &row.auth_method)?,
        credentials,
        created_at: row.created_at.into(),
        disabled_at: row.disabled_at.map(Instant::from),
        revision: number("clients", "revision", row.revision)?,
    })
}
