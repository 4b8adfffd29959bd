use std::error::Error as _;

use refinery::{Migration, Runner};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::way_limit;
use crate::database::Options;
use crate::error::{OpenError, told};

/// The steps that make the schema, oldest first; their numbers are their places, from 1. A step that was released is
/// never changed: the next one mends it.
const MIGRATIONS: [(&str, &str); 5] = [
    ("V1__directory_and_requests", include_str!("../migrations/V1__directory_and_requests.sql")),
    ("V2__registry", include_str!("../migrations/V2__registry.sql")),
    ("V3__views", include_str!("../migrations/V3__views.sql")),
    ("V4__request_log", include_str!("../migrations/V4__request_log.sql")),
    ("V5__positions", include_str!("../migrations/V5__positions.sql")),
];

const KNOWN: i32 = MIGRATIONS.len() as i32;

/// Where the steps that were made are noted. Not the name that others use.
const HISTORY: &str = "ringback_schema_history";

/// The oldest server with all that the schema needs.
const OLDEST_SERVER: i32 = 13;

/// Looks whether the server and its database can be used, and brings the schema up to date. Several processes may do so
/// at once.
pub(crate) async fn prepare(
    config: &Config,
    tls: &MakeRustlsConnect,
    place: &str,
    options: &Options,
) -> Result<(), OpenError> {
    let failed = |error: tokio_postgres::Error| OpenError::new(place, &error);
    let silent = |_| OpenError::Unreachable { place: place.to_owned(), reason: "nobody answers".to_owned() };
    let connect = tokio::time::timeout(way_limit(options), config.connect(tls.clone()));
    let (mut client, connection) = connect.await.map_err(silent)?.map_err(failed)?;
    let carrier = tokio::spawn(connection);
    let prepared = bring_up_to_date(&mut client, place, options.migrate).await;
    drop(client);
    // Says good-bye; why it ended does not matter any more.
    drop(carrier.await);
    prepared
}

async fn bring_up_to_date(client: &mut Client, place: &str, migrate: bool) -> Result<(), OpenError> {
    check_server(client, place).await?;
    let failed = |error: tokio_postgres::Error| OpenError::new(place, &error);
    let found = version(client).await.map_err(failed)?;
    refuse_newer(place, found)?;
    if found == KNOWN {
        return Ok(());
    }
    if !migrate {
        return Err(OpenError::OlderSchema { place: place.to_owned(), found, known: KNOWN });
    }
    // One at a time; the lock goes with the connection.
    client.execute("SELECT pg_advisory_lock(hashtext('ringback schema'))", &[]).await.map_err(failed)?;
    refuse_newer(place, version(client).await.map_err(failed)?)?;
    let migrations: Vec<Migration> = MIGRATIONS
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<Result<_, _>>()
        .map_err(|error| migration_error(place, &error))?;
    // In one transaction: otherwise a step and the note that it was made are two, and a crash between them leaves a
    // database that can be opened no more.
    let mut runner = Runner::new(&migrations).set_grouped(true);
    runner.set_migration_table_name(HISTORY);
    runner.run_async(client).await.map(drop).map_err(|error| migration_error(place, &error))
}

async fn check_server(client: &Client, place: &str) -> Result<(), OpenError> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')",
            &[],
        )
        .await
        .map_err(|error| OpenError::new(place, &error))?;
    let (version, encoding): (i32, String) = (row.get(0), row.get(1));
    let unsuitable = |reason| Err(OpenError::Unsuitable { place: place.to_owned(), reason });
    if version < OLDEST_SERVER {
        return unsuitable(format!(
            "the server is PostgreSQL {version}, at least {OLDEST_SERVER} is needed: upgrade it"
        ));
    }
    if encoding != "UTF8" {
        return unsuitable(format!(
            "its encoding is {encoding}: make another database with ENCODING 'UTF8' TEMPLATE template0"
        ));
    }
    Ok(())
}

/// The schema that is there; zero if there is none.
async fn version(client: &Client) -> Result<i32, tokio_postgres::Error> {
    let row = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&HISTORY]).await?;
    if !row.get::<_, bool>(0) {
        return Ok(0);
    }
    let query = format!("SELECT coalesce(max(version), 0) FROM {HISTORY}");
    Ok(client.query_one(&query, &[]).await?.get(0))
}

fn refuse_newer(place: &str, found: i32) -> Result<(), OpenError> {
    if found > KNOWN {
        return Err(OpenError::NewerSchema { place: place.to_owned(), found, known: KNOWN });
    }
    Ok(())
}

/// Missing rights have their own name here, too.
fn migration_error(place: &str, error: &refinery::Error) -> OpenError {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(failure) = cause.downcast_ref::<tokio_postgres::Error>() {
            if let rights @ OpenError::Rights { .. } = OpenError::new(place, failure) {
                return rights;
            }
            reason = told(failure);
        }
        source = cause.source();
    }
    OpenError::Migration { place: place.to_owned(), reason }
}
