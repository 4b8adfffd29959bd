//! PostgreSQL keeps what the ports promise.

use ringback_db::conformance;
use ringback_db_postgres::PostgresDatabase;
use ringback_election::conformance as election;
use ringback_model::{Group, Millis, reveal_personal_data};
use ringback_postgres_lab::{Postgres, Server, Signal};

use crate::site::open;

/// A new database each time.
async fn fresh(server: &Server) -> PostgresDatabase {
    reveal_personal_data(true);
    open(&server.fresh_database().unwrap()).await
}

#[tokio::test]
async fn directory() {
    let Some(server) = Server::shared() else { return };
    assert_eq!(conformance::directory(async || fresh(server).await.directory()).await, Ok(()));
}

#[tokio::test]
async fn requests() {
    let Some(server) = Server::shared() else { return };
    assert_eq!(conformance::store(async || fresh(server).await.store()).await, Ok(()));
}

#[tokio::test]
async fn requests_after_reopening() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    assert_eq!(conformance::durable(async || open(&address).await.store()).await, Ok(()));
}

#[tokio::test]
async fn requests_of_two_processes() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    assert_eq!(conformance::shared(async || open(&address).await.store()).await, Ok(()));
}

#[tokio::test]
async fn two_feeds_of_two_processes() {
    let Some(server) = Server::shared() else { return };
    let make = async |group: &Group| {
        let address = server.fresh_database().unwrap();
        let (one, other) = (open(&address).await, open(&address).await);
        (one.directory(), one.feed(group), other.feed(group))
    };
    assert_eq!(conformance::two_feeds(make).await, Ok(()));
}

#[tokio::test]
async fn feed_after_the_server_was_away() {
    let Some(postgres) = Postgres::find_or_skip() else { return };
    let server = Server::start(&postgres).unwrap();
    let make = async |group: &Group| {
        let database = fresh(&server).await;
        (database.directory(), database.feed(group))
    };
    let available = async |_: &_, available| {
        if available { server.start_again().unwrap() } else { server.stop(Signal::Fast).unwrap() }
    };
    assert_eq!(conformance::feed_after_loss(make, available).await, Ok(()));
}

#[tokio::test]
async fn feed_of_the_writing_process() {
    let Some(server) = Server::shared() else { return };
    let make = async |group: &Group| {
        let database = fresh(server).await;
        (database.directory(), database.feed(group))
    };
    assert_eq!(conformance::feed(make).await, Ok(()));
}

#[tokio::test]
async fn feed_of_another_process() {
    let Some(server) = Server::shared() else { return };
    let make = async |group: &Group| {
        let address = server.fresh_database().unwrap();
        (open(&address).await.directory(), open(&address).await.feed(group))
    };
    assert_eq!(conformance::feed(make).await, Ok(()));
}

/// On the server's own clock, through two databases.
#[tokio::test]
async fn registry() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let pass = async |span: Millis| tokio::time::sleep(span.to_duration()).await;
    assert_eq!(election::registry(async || open(&address).await.registry(), pass).await, Ok(()));
}
