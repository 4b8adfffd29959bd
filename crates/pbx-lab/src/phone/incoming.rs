//! What comes to the phone.

use std::sync::Arc;

use rsipstack::dialog::dialog::DialogState;
use rsipstack::sip::prelude::HeadersExt;
use rsipstack::sip::{Header, Method, StatusCode, ToTypedHeader};
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transaction::transaction::Transaction;

use super::{Answering, Incoming, Inner, PhoneEvent, lock, sdp_headers, session_description};
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
    let busy = answering == Answering::Busy || lock(&phone.call).is_some();
    if busy {
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
    *lock(&phone.call) = Some(Incoming { dialog: dialog.clone(), answered: false });
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
                    let sdp = session_description(&phone.contact.host_with_port.host.to_string());
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
    if let Answering::After(delay) = answering {
        let phone = Arc::clone(&phone);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            // Given up meanwhile.
            let _ = answer(&phone);
        });
    }
    tokio::spawn(async move {
        let _ = handled.handle(&mut request).await;
    });
    watch.await;
    phone.dialogs.remove_dialog(&id);
    let ended = lock(&phone.call).take_if(|call| call.dialog.id() == id);
    if let Some(call) = ended {
        phone.tell(if call.answered { PhoneEvent::HungUp } else { PhoneEvent::StoppedRinging });
    }
}

fn caller(request: &Transaction) -> (String, String) {
    let from = request.original.from_header().ok().and_then(|from| from.typed().ok());
    let name = from.as_ref().and_then(|from| from.display_name.clone()).unwrap_or_default();
    let number = from.and_then(|from| from.uri.auth).map(|auth| auth.user).unwrap_or_default();
    (name.trim_matches('"').to_owned(), number)
}

pub(super) fn answer(phone: &Inner) -> Result<(), LabError> {
    let mut call = lock(&phone.call);
    let Some(call) = call.as_mut().filter(|call| !call.answered) else {
        return Err(phone.failed("nothing rings"));
    };
    let sdp = session_description(&phone.contact.host_with_port.host.to_string());
    call.dialog.accept(Some(sdp_headers()), Some(sdp)).map_err(|error| phone.failed(error))?;
    call.answered = true;
    phone.tell(PhoneEvent::Answered);
    Ok(())
}

pub(super) async fn hang_up(phone: &Inner) -> Result<(), LabError> {
    let call = lock(&phone.call).take();
    let Some(call) = call else { return Err(phone.failed("there is no call to it")) };
    if call.answered {
        call.dialog.bye().await.map_err(|error| phone.failed(error))
    } else {
        call.dialog.reject(Some(StatusCode::BusyHere), None).map_err(|error| phone.failed(error))
    }
}
