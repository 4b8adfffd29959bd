//! Requests: never written by who has been superseded, and the same again after a write of unknown outcome.

use ringback_db::{Difference, RequestCopy, RequestStore, StoreError, Write};
use ringback_model::{Epoch, Group, Millis};
use ringback_postgres_lab::Server;
use tokio_postgres::types::Json;

use crate::site::{ask, open, open_with, operator, record, terminate, until, waits};

#[tokio::test]
async fn of_two_writers_the_older_is_refused_from_the_claim_on() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let group = Group::default();
    let (old, new) = (open(&address).await.store(), open(&address).await.store());
    old.claim(&group, Epoch(1)).await.unwrap();
    let writer = {
        let group = group.clone();
        tokio::spawn(async move {
            let mut accepted = Vec::new();
            for number in 1.. {
                match old.apply(&group, Epoch(1), &[Write::Put(record(1, number))]).await {
                    Ok(_) => accepted.push(record(1, number)),
                    Err(error) => return (accepted, error),
                }
            }
            unreachable!()
        })
    };
    while new.load(&group).await.unwrap().len() < 20 {
        tokio::task::yield_now().await;
    }
    new.claim(&group, Epoch(2)).await.unwrap();
    let taken_over = new.load(&group).await.unwrap();
    let (accepted, error) = writer.await.unwrap();
    assert_eq!(error, StoreError::Fenced { ours: Epoch(1), current: Epoch(2) });
    // All that was accepted is there, and nothing came after the claim.
    assert_eq!(taken_over, accepted);
    assert_eq!(new.load(&group).await.unwrap(), accepted);
}

#[tokio::test]
async fn a_claim_waits_for_a_write_that_has_begun() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let group = Group::default();
    let store = open(&address).await.store();
    store.claim(&group, Epoch(1)).await.unwrap();
    let mut slow = operator(&address).await;
    let begun = slow.transaction().await.unwrap();
    let none = Json(Vec::<u8>::new());
    begun.execute("SELECT store_apply('default', 1, $1, $1)", &[&none]).await.unwrap();
    let claim = tokio::spawn(async move { store.claim(&Group::default(), Epoch(2)).await });
    let looker = operator(&address).await;
    until(&looker, &waits("writer")).await;
    assert!(!claim.is_finished());
    begun.commit().await.unwrap();
    assert_eq!(claim.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_write_whose_session_is_ended_is_of_unknown_outcome_and_can_be_repeated() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let group = Group::default();
    let store = open(&address).await.store();
    store.claim(&group, Epoch(1)).await.unwrap();
    let mut holder = operator(&address).await;
    let held = holder.transaction().await.unwrap();
    held.execute("SELECT 1 FROM epoch FOR UPDATE", &[]).await.unwrap();
    let write = {
        let (store, group) = (store.clone(), group.clone());
        tokio::spawn(async move { store.apply(&group, Epoch(1), &[Write::Put(record(1, 1))]).await })
    };
    let looker = operator(&address).await;
    until(&looker, &waits("writer")).await;
    terminate(&looker, "writer").await;
    let reason = "the server ended the session (terminating connection due to administrator command)";
    assert_eq!(write.await.unwrap(), Err(StoreError::OutcomeUnknown(reason.to_owned())));
    held.rollback().await.unwrap();
    for _ in 0..2 {
        assert_eq!(store.apply(&group, Epoch(1), &[Write::Put(record(1, 1))]).await.map(drop), Ok(()));
    }
    assert_eq!(store.load(&group).await, Ok(vec![record(1, 1)]));
}

/// A statement that is still under way over a connection that was given up comes too late once its process has written
/// over another one: what was taken back stays so.
#[tokio::test]
async fn what_was_sent_over_a_former_connection_is_refused() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let group = Group::default();
    let store = open(&address).await.store();
    store.apply(&group, Epoch(1), &[Write::Put(record(1, 1))]).await.unwrap();
    let operator = operator(&address).await;
    let process = ask(&operator, "SELECT process FROM epoch").await;
    terminate(&operator, "writer").await;
    store.apply(&group, Epoch(1), &[Write::Delete(record(1, 1).id)]).await.unwrap_or_default();
    store.apply(&group, Epoch(1), &[Write::Delete(record(1, 1).id)]).await.unwrap();

    let former =
        "SELECT set_config('ringback.process', $1, false), set_config('ringback.session', '1', false)";
    operator.execute(former, &[&process]).await.unwrap();
    let late = "SELECT refusal || ' ' || current FROM store_fence('default', 1)";
    assert_eq!(ask(&operator, late).await, "session 1");
    // Not so in a new epoch, and not for another process.
    assert_eq!(store.load(&group).await, Ok(vec![]));
    let other = "SELECT set_config('ringback.process', 'another', false)";
    operator.execute(other, &[]).await.unwrap();
    assert_eq!(
        ask(&operator, "SELECT coalesce(refusal, 'taken') FROM store_fence('default', 1)").await,
        "taken"
    );
}

#[tokio::test]
async fn a_write_that_takes_too_long_is_not_done() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let group = Group::default();
    let store = open_with(&address, |options| options.write_timeout = Millis(50)).await.store();
    store.claim(&group, Epoch(1)).await.unwrap();
    let mut holder = operator(&address).await;
    let held = holder.transaction().await.unwrap();
    held.execute("SELECT 1 FROM epoch FOR UPDATE", &[]).await.unwrap();
    let reason = "it took too long (canceling statement due to statement timeout)";
    let refused = store.apply(&group, Epoch(1), &[Write::Put(record(1, 1))]).await;
    assert_eq!(refused, Err(StoreError::Unavailable(reason.to_owned())));
    held.rollback().await.unwrap();
    assert_eq!(store.load(&group).await, Ok(vec![]));
    assert_eq!(store.apply(&group, Epoch(1), &[Write::Put(record(1, 1))]).await.map(drop), Ok(()));
}

#[tokio::test]
async fn what_cannot_be_is_invalid_and_names_its_place() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let group = Group::default();
    let store = open(&address).await.store();
    let mut far = record(1, 1);
    far.id.number = u64::MAX;
    let reason = "table request, column id_number: the number is above 2^63 - 1".to_owned();
    assert_eq!(store.apply(&group, Epoch(1), &[Write::Put(far)]).await, Err(StoreError::Invalid(reason)));
    store.apply(&group, Epoch(1), &[Write::Put(record(1, 1))]).await.unwrap();
    operator(&address).await.execute("UPDATE request SET called_dn = ''", &[]).await.unwrap();
    let reason = "table request, column called_dn: a directory number is empty: give 1 to 50 characters";
    assert_eq!(store.load(&group).await, Err(StoreError::Invalid(reason.to_owned())));
}

#[tokio::test]
async fn what_is_confirmed_is_on_the_disk_whatever_the_server_is_set_to() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let operator = operator(&address).await;
    let name = ask(&operator, "SELECT current_database()::text").await;
    operator.batch_execute(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).await.unwrap();
    let store = open(&address).await.store();
    // The function tells what the session of the writer has.
    operator
        .batch_execute(
            "CREATE TABLE seen (setting text);
             CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
             CREATE TRIGGER see AFTER INSERT ON request FOR EACH ROW EXECUTE FUNCTION see()",
        )
        .await
        .unwrap();
    store.apply(&Group::default(), Epoch(1), &[Write::Put(record(1, 1))]).await.unwrap();
    assert_eq!(ask(&operator, "SELECT setting FROM seen").await, "on");
}

#[tokio::test]
async fn an_operator_can_read_the_requests() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let store = open(&address).await.store();
    store.apply(&Group::default(), Epoch(1), &[Write::Put(record(1, 0))]).await.unwrap();
    let columns = "concat_ws(' ', id, caller, from_line, waits_for, phase, since AT TIME ZONE 'UTC')";
    let seen = server.sql(&address, &format!("SELECT {columns} FROM ringback_pending")).unwrap();
    assert_eq!(seen, "1-0 A /1001 /1002 waiting 2026-01-05 14:00:00");
}

/// What was cut off, what another server wrote instead, and what an operator deleted by hand.
#[tokio::test]
async fn a_copy_that_cannot_be_brought_up_to_date_is_made_anew() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let group = Group::default();
    let store = open(&address).await.store();
    let write = async |number| {
        store.apply(&group, Epoch(1), &[Write::Put(record(1, number))]).await.unwrap();
    };
    write(1).await;
    let mut copy = RequestCopy::default();
    let spoilt = [
        "DELETE FROM request_log",
        "UPDATE request_log SET mark = mark + 1; UPDATE epoch SET mark = mark + 1",
        "DELETE FROM request WHERE id_number = 1",
    ];
    for (statements, number) in spoilt.iter().zip(2..) {
        copy.catch_up(&store, &group).await.unwrap();
        write(number * 10).await;
        server.sql(&address, statements).unwrap();
        write(number).await;
        copy.catch_up(&store, &group).await.unwrap();
        assert_eq!(copy.clone().records(), store.load(&group).await.unwrap(), "{statements}");
        // After what was done by hand it begins anew, and goes on from there.
        copy.catch_up(&store, &group).await.unwrap();
        write(number * 100).await;
        let news = store.news(&group, copy.position()).await.unwrap();
        let new = vec![record(1, number * 100)];
        assert_eq!(news.difference, Difference::Since { put: new, deleted: vec![] }, "{statements}");
    }
}
