//! Changes of the directory: all of them are told, in the order of their commits, whoever makes them.

use std::collections::BTreeSet;

use ringback_db::{Change, ChangeFeed, Directory, DirectoryAdmin, Table};
use ringback_db_postgres::PostgresFeed;
use ringback_model::{DeviceName, Group};
use ringback_postgres_lab::Server;

use crate::site::{ask, open, operator, until};

async fn row(feed: &mut PostgresFeed) -> (Table, String) {
    match feed.next().await {
        Ok(Change::Row { table, key, .. }) => (table, key),
        other => panic!("{other:?}"),
    }
}

async fn begun(mut feed: PostgresFeed) -> PostgresFeed {
    assert_eq!(feed.next().await, Ok(Change::Resync));
    feed
}

#[tokio::test]
async fn who_writes_later_is_told_later_however_long_the_first_takes() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let database = open(&address).await;
    let mut feed = begun(database.feed(&Group::default())).await;
    let (mut first, second, looker) =
        (operator(&address).await, operator(&address).await, operator(&address).await);
    let insert = |name: &str| format!("INSERT INTO service_parameter VALUES ('default', '{name}', '1')");
    for commits in [true, false] {
        let slow = first.transaction().await.unwrap();
        slow.execute(&insert(if commits { "A" } else { "X" }), &[]).await.unwrap();
        let quick = async { second.execute(&insert(if commits { "B" } else { "C" }), &[]).await.unwrap() };
        let finish = async {
            // The second one waits for its turn.
            until(&looker, "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").await;
            if commits { slow.commit().await.unwrap() } else { slow.rollback().await.unwrap() }
        };
        tokio::join!(quick, finish);
    }
    for name in ["A", "B", "C"] {
        assert_eq!(row(&mut feed).await, (Table::Parameter, name.to_owned()));
    }
}

#[tokio::test]
async fn of_many_writers_at_once_nothing_is_missed() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let database = open(&address).await;
    let mut feed = begun(database.feed(&Group::default())).await;
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let directory = database.directory();
            tokio::spawn(async move {
                for number in 0..20 {
                    let name = format!("{writer}-{number}");
                    directory.set_parameter(&Group::default(), &name, Some("1")).await.unwrap();
                }
            })
        })
        .collect();
    let mut told = BTreeSet::new();
    let mut last = 0;
    while told.len() < 120 {
        match feed.next().await {
            Ok(Change::Row { seq, key, .. }) => {
                assert!(seq > last, "{last} then {seq}");
                last = seq;
                told.insert(key);
            }
            other => panic!("{other:?}"),
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Two who change the same rows in another order do not wait for each other.
#[tokio::test]
async fn writers_in_each_others_way_both_come_through() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    open(&address).await;
    let (one, other) = (operator(&address).await, operator(&address).await);
    one.batch_execute("INSERT INTO service_parameter VALUES ('default', 'A', '0'), ('default', 'B', '0')")
        .await
        .unwrap();
    let change = async |session: &tokio_postgres::Client, names: [&str; 2]| {
        for _ in 0..50 {
            let steps =
                names.map(|name| format!("UPDATE service_parameter SET value = '1' WHERE name = '{name}'"));
            session.batch_execute(&format!("BEGIN; {}; {}; COMMIT", steps[0], steps[1])).await.unwrap();
        }
    };
    tokio::join!(change(&one, ["A", "B"]), change(&other, ["B", "A"]));
    assert_eq!(ask(&one, "SELECT count(*)::text FROM change_log").await, "202");
}

#[tokio::test]
async fn what_an_operator_writes_by_hand_is_told() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let database = open(&address).await;
    let mut feed = begun(database.feed(&Group::default())).await;
    let operator = operator(&address).await;
    let steps = [
        ("INSERT INTO phone (group_name, device) VALUES ('default', 'A')", vec![(Table::Phone, "A")]),
        ("INSERT INTO appearance VALUES ('default', 'A', 'p', '1001', 1)", vec![(Table::Line, "p/1001")]),
        ("UPDATE appearance SET dn = '1002'", vec![(Table::Line, "p/1001"), (Table::Line, "p/1002")]),
        (
            "INSERT INTO line_setting VALUES ('default', 'p', '1002', 'Ada', NULL)",
            vec![(Table::Line, "p/1002")],
        ),
        ("UPDATE phone SET device = 'A', locale = 'de_DE'", vec![(Table::Phone, "A")]),
    ];
    for (sql, expected) in steps {
        operator.batch_execute(sql).await.unwrap();
        let mut told = Vec::new();
        for _ in &expected {
            told.push(row(&mut feed).await);
        }
        told.sort();
        let expected: Vec<_> = expected.into_iter().map(|(table, key)| (table, key.to_owned())).collect();
        assert_eq!(told, expected, "{sql}");
    }
    operator.batch_execute("DELETE FROM phone").await.unwrap();
    let mut told = vec![row(&mut feed).await, row(&mut feed).await, row(&mut feed).await];
    told.sort();
    let line = (Table::Line, "p/1002".to_owned());
    assert_eq!(told, [(Table::Phone, "A".to_owned()), line.clone(), line]);
    let left = "SELECT ((SELECT count(*) FROM appearance) + (SELECT count(*) FROM line_setting))::text";
    assert_eq!(ask(&operator, left).await, "0");
    let refused = operator.batch_execute("TRUNCATE phone CASCADE").await.unwrap_err();
    let reason = "TRUNCATE is not told to the service: use DELETE FROM phone";
    assert_eq!(refused.as_db_error().unwrap().message(), reason);
}

#[tokio::test]
async fn a_feed_that_lags_behind_the_log_is_told_to_read_anew() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let database = open(&address).await;
    let mut feed = begun(database.feed(&Group::default())).await;
    let operator = operator(&address).await;
    operator
        .batch_execute("INSERT INTO service_parameter SELECT 'default', 'P' || i, '1' FROM generate_series(1, 11500) AS i")
        .await
        .unwrap();
    assert_eq!(ask(&operator, "SELECT count(*)::text FROM change_log").await, "10500");
    assert_eq!(feed.next().await, Ok(Change::Resync));
    // More than one batch, none lost, none twice.
    operator
        .batch_execute("UPDATE service_parameter SET value = '2' WHERE substr(name, 2)::int <= 600")
        .await
        .unwrap();
    let mut told = BTreeSet::new();
    for _ in 1..=600 {
        told.insert(row(&mut feed).await.1);
    }
    assert_eq!(told, (1..=600).map(|i| format!("P{i}")).collect());
}

#[tokio::test]
async fn what_cannot_be_is_invalid_and_names_its_place() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let database = open(&address).await;
    operator(&address)
        .await
        .batch_execute("INSERT INTO phone (group_name, device, locale) VALUES ('default', 'B', '?!')")
        .await
        .unwrap();
    let phone = database.directory().phone(&Group::default(), &DeviceName::new("B").unwrap()).await;
    let reason = "directory database holds an invalid value: table phone, column locale: a locale holds '?', which is not \
         allowed there";
    assert_eq!(phone.unwrap_err().to_string(), reason);
}
