//! Keys of screens that another instance has shown, or this one before it was started anew.

use super::*;

/// What was on the phone when the instance died that had shown it: the path of this key.
async fn left_behind(config: Config, keys: &[&str], key: &str) -> String {
    let wire = Wire::new().await;
    let room = Room::new(config, &wire.address()).await;
    let (_, fetched) = show(&room, &wire, screen("1002 is free", keys)).await;
    key_path(&fetched, key)
}

fn press(key: &str) -> Press {
    Press { device: device(), content: format!("{key}:ringback:7-12") }
}

#[tokio::test]
async fn the_instance_that_acts_takes_them() {
    for key in ["Dial", "Cancel", "Exit", "OK"] {
        let path = left_behind(config(), &[key], key).await;
        let mut room = Room::new(config(), "127.0.0.1:9").await;
        // It does not act yet; a phone would be told by the next that does.
        assert!(room.get(&path).await.starts_with("HTTP/1.1 503"), "{key}");
        room.courier.listen(Some(&device()), &room.presses);
        let answer = room.get(&path).await;
        let close = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CiscoIPPhoneExecute>\n\
             <ExecuteItem Priority=\"0\" URL=\"Init:Services\"/>\n</CiscoIPPhoneExecute>\n";
        assert!(answer.ends_with(close), "{answer}");
        assert_eq!(room.pressed.recv().await.unwrap(), press(key));
    }
}

#[tokio::test]
async fn whoever_listens_for_the_phone_is_told_and_nobody_else() {
    let path = left_behind(config(), &["Dial"], "Dial").await;
    let mut room = Room::new(config(), "127.0.0.1:9").await;
    let other = DeviceName::new("1002").unwrap();
    room.courier.listen(Some(&other), &room.presses);
    assert!(room.get(&path).await.starts_with("HTTP/1.1 503"));
    // One that is gone, and one that serves all phones.
    let (gone, receiver) = Presses::new();
    drop(receiver);
    room.courier.listen(Some(&device()), &gone);
    let (presses, mut pressed) = Presses::new();
    room.courier.listen(None, &presses);
    assert!(room.get(&path).await.starts_with("HTTP/1.1 200"));
    assert_eq!(pressed.recv().await.unwrap(), press("Dial"));
    assert!(room.pressed.try_recv().is_err());
}

#[tokio::test]
async fn forged_ones_do_nothing() {
    let other_password = Config { login: Login::new("ringback", "other".to_owned().into()), ..config() };
    let secret = |secret: &str| Config { secret: Some(secret.to_owned().into()), ..config() };
    let mut room = Room::new(secret("shared"), "127.0.0.1:9").await;
    room.courier.listen(Some(&device()), &room.presses);
    for stranger in [config(), other_password, secret("guessed")] {
        let path = left_behind(stranger, &["Dial"], "Dial").await;
        assert!(room.get(&path).await.starts_with("HTTP/1.1 404"));
    }
    assert!(room.pressed.try_recv().is_err());
    let path = left_behind(secret("shared"), &["Dial"], "Dial").await;
    assert!(room.get(&path).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_stale_key_is_the_services_business_but_for_ok() {
    let (dial, ok) =
        (left_behind(config(), &["Dial"], "Dial").await, left_behind(config(), &["OK"], "OK").await);
    let wire = Wire::new().await;
    let mut room = Room::new(config(), &wire.address()).await;
    room.courier.listen(Some(&device()), &room.presses);
    // The phone shows another screen by now, which may propose something else.
    show(&room, &wire, screen("1003", &["OK"])).await;
    assert!(room.get(&ok).await.contains("Init:Services"));
    assert!(room.pressed.try_recv().is_err());
    assert!(room.get(&dial).await.contains("Init:Services"));
    assert_eq!(room.pressed.recv().await.unwrap(), press("Dial"));
}

#[tokio::test]
async fn keys_have_an_address_of_their_own_and_say_who_acts() {
    let shared = Config { keys: Some("callback.example:80".to_owned()), ..config() };
    let wire = Wire::new().await;
    let room = Room::new(shared, &wire.address()).await;
    let (_, fetched) = show(&room, &wire, screen("1002", &["Dial"])).await;
    assert!(fetched.contains("<URL>http://callback.example:80/key/"), "{fetched}");
    assert!(room.get("/active").await.starts_with("HTTP/1.1 503"));
    room.courier.listen(None, &room.presses);
    assert!(room.get("/active").await.starts_with("HTTP/1.1 200"));
    assert!(room.get("/active/x").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn configurations_that_cannot_work_are_refused() {
    let no_address = Config { keys: Some("a b".to_owned()), ..config() };
    let error = PushServer::start(no_address).await.unwrap_err().to_string();
    assert!(error.starts_with("phones cannot fetch from \"a b\""), "{error}");
    let no_secret = Config { secret: Some(String::new().into()), ..config() };
    let error = PushServer::start(no_secret).await.unwrap_err().to_string();
    assert!(error.starts_with("the secret for the addresses of keys must not be empty"), "{error}");
}
