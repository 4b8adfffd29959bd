//! What comes to the phone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rsipstack::dialog::dialog::DialogState;
use rsipstack::sip::prelude::HeadersExt;
use rsipstack::sip::{Header, Method, StatusCode, ToTypedHeader};
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transaction::transaction::Transaction;

use super::{Answering, Incoming, IncomingCall, Inner, PhoneEvent, lock, sdp_headers};
use crate::error::LabError;

/// Takes requests until the phone is gone.
pub(super) async fn serve(phone: Arc<Inner>, mut requests: TransactionReceiver) {
    while let Some(request) = requests.recv().await {
        tokio::spawn(take(Arc::clone(&phone), request));
    }
}

async fn take(phone: Arc<Inner>, mut request: Transaction) {
    if let Some(mut dialog) = phone.dialogs.match_dialog(&request) {
        // A dialog that is over refuses what still comes by itself.
        let _ = dialog.handle(&mut request).await;
        return;
    }
    let body = String::from_utf8_lossy(&request.original.body).into_owned();
    let answer = match request.original.method {
        Method::Invite => return ring(phone, request).await,
        Method::Ack => return,
        Method::Message => {
            phone.tell(PhoneEvent::Text(body));
            StatusCode::OK
        }
        Method::Notify => {
            let event = request.original.headers.iter().find_map(|header| match header {
                Header::Event(event) => Some(event.to_string()),
                _ => None,
            });
            let event = event.unwrap_or_default().trim_start_matches("Event: ").to_owned();
            phone.tell(PhoneEvent::Notified { event, body });
            StatusCode::OK
        }
        Method::Options => StatusCode::OK,
        _ => StatusCode::CallTransactionDoesNotExist,
    };
    // The far end repeats what it wants answered.
    let _ = request.reply(answer).await;
}

async fn ring(phone: Arc<Inner>, mut request: Transaction) {
    let answering = *lock(&phone.answering);
    let full = lock(&phone.calls).len() >= phone.room.load(Ordering::SeqCst);
    if answering == Answering::Busy || full {
        let _ = request.reply(StatusCode::BusyHere).await;
        return;
    }
    let (sender, mut states) = phone.dialogs.new_dialog_state_channel();
    let dialog = phone.dialogs.get_or_create_server_invite(
        &request,
        sender,
        Some(phone.credential.clone()),
        Some(phone.contact.clone()),
    );
    let Ok(dialog) = dialog else {
        let _ = request.reply(StatusCode::ServerInternalError).await;
        return;
    };
    let (name, number) = caller(&request);
    let ear = phone.ear().ok().flatten();
    let at_once = lock(&phone.awaited).take_if(|awaited| name.starts_with(awaited.as_str())).is_some();
    let call = phone.next_call.fetch_add(1, Ordering::Relaxed);
    let incoming = Incoming {
        id: call,
        name: name.clone(),
        number: number.clone(),
        dialog: dialog.clone(),
        answered: false,
        ear,
    };
    lock(&phone.calls).push(incoming);
    phone.tell(PhoneEvent::Rings { name, number });
    let mut handled = dialog.clone();
    let id = dialog.id();
    let watch = async {
        while let Some(state) = states.recv().await {
            match state {
                DialogState::Terminated(..) => break,
                DialogState::Updated(_, _, handle)
                | DialogState::Notify(_, _, handle)
                | DialogState::Info(_, _, handle)
                | DialogState::Options(_, _, handle) => {
                    let sdp = description(&phone, call);
                    let _ = handle.respond(StatusCode::OK, Some(sdp_headers()), Some(sdp)).await;
                }
                DialogState::Message(_, request, handle) => {
                    phone.tell(PhoneEvent::Text(String::from_utf8_lossy(&request.body).into_owned()));
                    let _ = handle.reply(StatusCode::OK).await;
                }
                _ => {}
            }
        }
    };
    // It is answered while it is being handled.
    let _ = dialog.ringing(None, None);
    let delay = match answering {
        Answering::After(delay) => Some(delay),
        _ => at_once.then_some(Duration::ZERO),
    };
    if let Some(delay) = delay {
        let phone = Arc::clone(&phone);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            // Given up meanwhile.
            let _ = answer(&phone, Some(call));
        });
    }
    tokio::spawn(async move {
        let _ = handled.handle(&mut request).await;
    });
    watch.await;
    phone.dialogs.remove_dialog(&id);
    if let Some(ended) = take_out(&phone, Some(call)) {
        phone.tell(if ended.answered { PhoneEvent::HungUp } else { PhoneEvent::StoppedRinging });
    }
}

/// Takes a call out of those that there are: this one, or the oldest.
fn take_out(phone: &Inner, id: Option<u64>) -> Option<Incoming> {
    let mut calls = lock(&phone.calls);
    let place = calls.iter().position(|call| id.is_none_or(|id| call.id == id))?;
    Some(calls.remove(place))
}

fn description(phone: &Inner, id: u64) -> Vec<u8> {
    let calls = lock(&phone.calls);
    let call = calls.iter().find(|call| call.id == id);
    phone.session_description(call.and_then(|call| call.ear.as_ref()))
}

pub(super) fn calls(phone: &Inner) -> Vec<IncomingCall> {
    let calls = lock(&phone.calls);
    let seen = calls.iter().map(|call| IncomingCall {
        id: call.id,
        name: call.name.clone(),
        number: call.number.clone(),
        answered: call.answered,
        sound: call.ear.as_ref().and_then(super::ear::Ear::sound),
    });
    seen.collect()
}

fn caller(request: &Transaction) -> (String, String) {
    let from = request.original.from_header().ok().and_then(|from| from.typed().ok());
    let name = from.as_ref().and_then(|from| from.display_name.clone()).unwrap_or_default();
    let number = from.and_then(|from| from.uri.auth).map(|auth| auth.user).unwrap_or_default();
    (name.trim_matches('"').to_owned(), number)
}

pub(super) fn answer(phone: &Inner, id: Option<u64>) -> Result<(), LabError> {
    let mut calls = lock(&phone.calls);
    let ringing = calls.iter_mut().find(|call| !call.answered && id.is_none_or(|id| call.id == id));
    let Some(call) = ringing else {
        return Err(phone.failed("nothing rings"));
    };
    let sdp = phone.session_description(call.ear.as_ref());
    call.dialog.accept(Some(sdp_headers()), Some(sdp)).map_err(|error| phone.failed(error))?;
    call.answered = true;
    drop(calls);
    phone.tell(PhoneEvent::Answered);
    Ok(())
}

pub(super) async fn hang_up(phone: &Inner, id: Option<u64>) -> Result<(), LabError> {
    let Some(call) = take_out(phone, id) else { return Err(phone.failed("there is no call to it")) };
    let done = if call.answered {
        call.dialog.bye().await.map_err(|error| phone.failed(error))
    } else {
        call.dialog.reject(Some(StatusCode::BusyHere), None).map_err(|error| phone.failed(error))
    };
    phone.change();
    done
}
