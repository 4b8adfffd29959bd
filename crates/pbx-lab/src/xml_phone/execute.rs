//! What the phone does with what it was told.

use ringback_screen::phone::{ExecuteItem, PhoneObject, parse};
use tokio::sync::mpsc;

use super::{Inner, XmlManner, XmlScreen, XmlSoftKey, http, lock, when};
use crate::error::LabError;

/// Pages that lead to each other are followed so far.
const HOPS: usize = 4;

/// Carries out orders, one after the other.
pub(super) async fn run(phone: &Inner, mut orders: mpsc::Receiver<Vec<ExecuteItem>>) {
    while let Some(items) = orders.recv().await {
        for item in items {
            let idle = *lock(&phone.idle);
            match when(item.priority, idle) {
                // What cannot be fetched is not shown.
                Some(true) => drop(follow(phone, &item.url).await),
                Some(false) => {}
                None => lock(&phone.later).push(item),
            }
        }
    }
}

/// Does what a URL says.
pub(super) async fn follow(phone: &Inner, url: &str) -> Result<(), LabError> {
    let mut todo = vec![url.to_owned()];
    let mut hops = 0;
    while let Some(url) = todo.pop() {
        if let Some(file) = url.strip_prefix("Play:") {
            phone.display.send_modify(|display| display.played.push(file.to_owned()));
        } else if url.starts_with("Init:") {
            phone.display.send_modify(|display| display.screen = None);
        } else if url.starts_with("http://") {
            hops += 1;
            if hops > HOPS || *lock(&phone.manner) == XmlManner::CutOff {
                return Err(phone.failed("fetches nothing"));
            }
            let page = http::get(phone, &url).await?;
            match parse(&page).map_err(|error| phone.failed(error))? {
                PhoneObject::Execute { items } => todo.extend(items.into_iter().rev().map(|item| item.url)),
                object => show(phone, object)?,
            }
        } else {
            return Err(phone.failed(format!("cannot follow {url}")));
        }
    }
    Ok(())
}

fn show(phone: &Inner, object: PhoneObject) -> Result<(), LabError> {
    let PhoneObject::Text { title, prompt, text, mut soft_keys } = object else {
        return Err(phone.failed("an object that is not shown"));
    };
    soft_keys.sort_by_key(|key| key.position);
    let soft_keys = soft_keys.into_iter().map(|key| XmlSoftKey { name: key.name, url: key.url }).collect();
    phone.display.send_modify(|display| {
        display.screen = Some(XmlScreen { title, prompt, text, soft_keys });
        display.screens += 1;
    });
    Ok(())
}
