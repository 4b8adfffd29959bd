//! What stands in the way of opening a database is named, and what to do about it.

use ringback_db::{Difference, RequestCopy, RequestRow, RequestStore};
use ringback_db_postgres::{OpenError, Options, PostgresDatabase};
use ringback_model::{Epoch, Group, Millis};
use ringback_postgres_lab::{Postgres, Server};
use secrecy::SecretString;
use tokio_postgres::Statement;
use tokio_postgres::types::{Json, ToSql};

use crate::site::{ask, open, operator, record};

async fn refusal(address: &str) -> OpenError {
    refusal_with(address, Options::default()).await
}

async fn refusal_with(address: &str, options: Options) -> OpenError {
    PostgresDatabase::open(address, options).await.unwrap_err()
}

#[tokio::test]
async fn a_user_without_the_right_password() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let name = address.rsplit_once('/').unwrap().1.to_owned();
    let sql = format!("CREATE ROLE locked LOGIN PASSWORD 'right'; ALTER DATABASE {name} OWNER TO locked");
    server.sql(&server.database("postgres"), &sql).unwrap();
    let locked = address.replace("ringback@", "locked@");
    let place = format!("{}/{name} as user locked", server.address());
    let wrong = refusal(&address.replace("ringback@", "locked:wrong@")).await;
    let advice = "check user, password and the server's pg_hba.conf";
    let reason = "password authentication failed for user \"locked\"";
    assert_eq!(wrong.to_string(), format!("{place} refuses the login ({reason}): {advice}"));
    assert!(matches!(refusal(&locked).await, OpenError::Login { .. }));

    let mut options = Options::default();
    options.password = Some(SecretString::from("right"));
    assert!(!format!("{options:?}").contains("right"));
    // It owns the database: that is enough.
    let database = PostgresDatabase::open(&locked, options).await.unwrap();
    assert_eq!(database.place(), place);
    assert_eq!(database.store().claim(&Group::default(), Epoch(1)).await, Ok(()));
}

#[tokio::test]
async fn nobody_there_and_no_such_database() {
    let Some(server) = Server::shared() else { return };
    let none = server.database("none");
    let place = format!("{}/none as user ringback", server.address());
    let advice = "CREATE DATABASE ... OWNER ... ENCODING 'UTF8', or name another one";
    assert_eq!(refusal(&none).await.to_string(), format!("{place} does not exist: {advice}"));

    let ip = *server.address().ip();
    let advice = "check host, port and firewall, and that PostgreSQL runs there";
    let nobody = refusal(&format!("postgres://ringback@{ip}:1/none")).await.to_string();
    let expected = format!(
        "{ip}:1/none as user ringback cannot be reached (Connection refused (os error 111)): {advice}"
    );
    assert_eq!(nobody, expected);
    let unknown = refusal("postgres://ringback@host.invalid/none").await;
    assert!(matches!(&unknown, OpenError::Unreachable { .. }), "{unknown}");
    // Of several hosts one is enough.
    let address = server.fresh_database().unwrap().replace("ringback@", &format!("ringback@{ip}:1,"));
    open(&address).await;
}

/// As of a machine that hangs: its kernel takes connections, and nobody reads them.
#[tokio::test]
async fn a_server_that_says_nothing() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = silent.local_addr().unwrap();
    let mut options = Options::default();
    options.connect_timeout = Millis(10);
    let error = refusal_with(&format!("postgres://ringback@{there}/none"), options).await;
    assert!(matches!(&error, OpenError::Unreachable { reason, .. } if reason == "nobody answers"), "{error}");
    // It does not stand before the others for ever.
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap().replace("ringback@", &format!("ringback@{there},"));
    while PostgresDatabase::open(&address, Options::default()).await.is_err() {}
}

#[tokio::test]
async fn a_server_that_cannot_encrypt() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    for mode in ["require", "verify-full"] {
        let error = refusal(&format!("{address}?sslmode={mode}")).await;
        assert!(
            matches!(&error, OpenError::Tls { reason, .. } if reason == "server does not support TLS"),
            "{error}"
        );
    }
    open(&format!("{address}?sslmode=prefer")).await;
    let missing = refusal(&format!("{address}?sslmode=verify-full&sslrootcert=/none.pem")).await;
    assert!(matches!(&missing, OpenError::Certificates { path, .. } if path == "/none.pem"), "{missing}");
}

#[tokio::test]
async fn a_server_that_encrypts() {
    let Some(postgres) = Postgres::find_or_skip() else { return };
    let server = Server::start(&postgres).unwrap();
    let Some(authority) = server.encrypt("localhost").unwrap() else { return };
    let address = server.fresh_database().unwrap();
    let operator = operator(&address).await;
    let encrypted =
        "SELECT string_agg(DISTINCT ssl::text, ',') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name LIKE 'ringback/%'";
    for mode in ["prefer", "require"] {
        let database = open(&format!("{address}?sslmode={mode}")).await;
        database.store().now().await.unwrap();
        assert_eq!(ask(&operator, encrypted).await, "true", "{mode}");
    }
    // The name counts, and who vouches for it.
    let authority = authority.display();
    let strict = format!("sslmode=verify-full&sslrootcert={authority}");
    let error = refusal(&format!("{address}?{strict}")).await;
    assert!(matches!(&error, OpenError::Tls { reason, .. } if reason.contains("not valid for")), "{error}");
    let hostaddr = *server.address().ip();
    let named = address.replace(&hostaddr.to_string(), "localhost");
    open(&format!("{named}?hostaddr={hostaddr}&{strict}")).await.store().now().await.unwrap();
    let error = refusal(&format!("{named}?hostaddr={hostaddr}&sslmode=verify-full")).await;
    assert!(matches!(&error, OpenError::Tls { .. } | OpenError::Certificates { .. }), "{error}");
}

#[tokio::test]
async fn schemas_that_are_too_new_too_old_or_in_the_way() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let place = format!("{}/{} as user ringback", server.address(), address.rsplit_once('/').unwrap().1);
    let mut as_it_is = Options::default();
    as_it_is.migrate = false;
    let older = refusal_with(&address, as_it_is.clone()).await.to_string();
    assert_eq!(
        older,
        format!("{place} has schema 0, this version needs 5: open it once with `migrate` allowed")
    );
    open(&address).await;
    PostgresDatabase::open(&address, as_it_is).await.unwrap();
    let newer = "INSERT INTO ringback_schema_history SELECT 6, 'V6__more', applied_on, '1' FROM ringback_schema_history LIMIT 1";
    server.sql(&address, newer).unwrap();
    let refused = refusal(&address).await.to_string();
    let advice = "run the newer version, or name another database";
    assert_eq!(refused, format!("{place} has schema 6, this version knows schemas up to 5: {advice}"));

    let foreign = server.fresh_database().unwrap();
    server.sql(&foreign, "CREATE TABLE phone (name text)").unwrap();
    let error = refusal(&foreign).await;
    let expected = "relation \"phone\" already exists";
    assert!(matches!(&error, OpenError::Migration { reason, .. } if reason == expected), "{error}");
    // It is as it was.
    let tables =
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%history'";
    assert_eq!(server.sql(&foreign, tables).unwrap(), "1");
}

#[tokio::test]
async fn databases_of_the_wrong_kind() {
    let Some(server) = Server::shared() else { return };
    let postgres = server.database("postgres");
    let prepare = |database: &str, statements: &[&str]| {
        for statement in statements {
            server.sql(database, statement).unwrap();
        }
    };
    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    prepare(&postgres, &[latin]);
    let error = refusal(&server.database("latin")).await;
    let expected = "its encoding is LATIN1: make another database with ENCODING 'UTF8' TEMPLATE template0";
    assert!(matches!(&error, OpenError::Unsuitable { reason, .. } if reason == expected), "{error}");

    let read_only = "ALTER DATABASE standby SET default_transaction_read_only = on";
    prepare(&postgres, &["CREATE DATABASE standby", read_only]);
    let error = refusal(&server.database("standby")).await;
    assert!(matches!(&error, OpenError::Standby { .. }), "{error}");

    prepare(&postgres, &["CREATE ROLE guest LOGIN", "CREATE DATABASE hosted"]);
    prepare(&server.database("hosted"), &["REVOKE CREATE ON SCHEMA public FROM public"]);
    let error = refusal(&server.database("hosted").replace("ringback@", "guest@")).await;
    assert!(matches!(&error, OpenError::Rights { .. }), "{error}");
}

/// An instance of the version before, with what it has prepared, while another one brings the schema up to date; and that
/// version's statements afterwards.
#[tokio::test]
async fn a_version_that_is_older_goes_on_when_the_schema_is_brought_up_to_date() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    open(&address).await;
    let back = "DROP FUNCTION store_apply; ALTER FUNCTION store_write RENAME TO store_apply;
        DELETE FROM ringback_schema_history WHERE version = 5";
    server.sql(&address, back).unwrap();

    let older = operator(&address).await;
    let group = Group::default();
    let sql = "SELECT refusal, current FROM store_apply($1, $2, $3, $4)";
    let prepared = older.prepare(sql).await.unwrap();
    let nothing: Json<Vec<RequestRow>> = Json(Vec::new());
    let write = async |statement: &Statement, number| {
        let row = Json(vec![RequestRow::of(&record(1, number)).unwrap()]);
        let values: [&(dyn ToSql + Sync); 4] = [&group.as_str(), &1_i64, &nothing, &row];
        let answer = older.query_one(statement, &values).await.unwrap();
        assert_eq!(answer.get::<_, Option<&str>>(0), None);
    };
    write(&prepared, 1).await;
    let store = open(&address).await.store();
    let mut copy = RequestCopy::default();
    copy.catch_up(&store, &group).await.unwrap();
    write(&prepared, 2).await;
    write(&older.prepare(sql).await.unwrap(), 3).await;
    let news = store.news(&group, copy.position()).await.unwrap();
    let put = vec![record(1, 2), record(1, 3)];
    assert_eq!(news.difference, Difference::Since { put, deleted: vec![] });
}

#[tokio::test]
async fn several_processes_open_a_new_database_at_once() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let opened = [(); 6].map(|()| {
        let address = address.clone();
        tokio::spawn(async move { open(&address).await })
    });
    for database in opened {
        database.await.unwrap();
    }
    assert_eq!(server.sql(&address, "SELECT count(*) FROM ringback_schema_history").unwrap(), "5");
}
