//! What the phone begins.

use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::authenticate::handle_client_authenticate;
use rsipstack::dialog::dialog::DialogState;
use rsipstack::dialog::invitation::InviteOption;
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Header, Method, SipMessage, StatusCode, StatusCodeKind};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::watch;
use tokio::time::timeout;

use super::ear::{Ear, Sound};
use super::{Inner, PhoneEvent, sdp_headers};
use crate::error::LabError;

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// Begun.
    Calling,
    /// The far end rings.
    Ringing,
    /// Answered, by the far end or by the server.
    Answered,
    /// Refused with this status, 486 for busy.
    Failed(u16),
    /// Ended after it was answered, or given up by the phone itself.
    Ended,
}

/// A call that the phone made. Dropping it does not end it.
pub struct PhoneCall {
    phone: Arc<Inner>,
    dialog: InviteDialog,
    outcome: watch::Receiver<CallOutcome>,
    ear: Option<Arc<Ear>>,
}

impl PhoneCall {
    /// How far it has come.
    #[must_use]
    pub fn outcome(&self) -> CallOutcome {
        *self.outcome.borrow()
    }

    /// What is heard in it; only phones that listen hear.
    #[must_use]
    pub fn sound(&self) -> Option<Sound> {
        self.ear.as_ref().and_then(|ear| ear.sound())
    }

    /// Waits until it has come to something that is wanted.
    ///
    /// # Errors
    /// It does not within this time.
    pub async fn wait_for(
        &mut self,
        within: Duration,
        wanted: impl Fn(CallOutcome) -> bool,
    ) -> Result<CallOutcome, LabError> {
        let found = timeout(within, self.outcome.wait_for(|outcome| wanted(*outcome))).await;
        if let Ok(Ok(outcome)) = found.map(|found| found.map(|outcome| *outcome)) {
            return Ok(outcome);
        }
        let now = self.outcome();
        Err(self.phone.failed(format!("its call is {now:?} after {within:?}")))
    }

    /// Presses a key during the call.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn press(&self, key: char) -> Result<(), LabError> {
        let headers = vec![Header::ContentType("application/dtmf-relay".into())];
        let body = format!("Signal={key}\r\nDuration=100\r\n").into_bytes();
        let answer = self.dialog.info(Some(headers), Some(body)).await;
        answer.map(|_| ()).map_err(|error| self.phone.failed(error))
    }

    /// Hangs up, whatever has become of it.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn hang_up(&self) -> Result<(), LabError> {
        match self.outcome() {
            CallOutcome::Calling | CallOutcome::Ringing => self.dialog.cancel().await,
            CallOutcome::Answered => self.dialog.bye().await,
            CallOutcome::Failed(_) | CallOutcome::Ended => Ok(()),
        }
        .map_err(|error| self.phone.failed(error))
    }
}

pub(super) fn call(phone: &Arc<Inner>, number: &str) -> Result<PhoneCall, LabError> {
    let (sender, mut states) = phone.dialogs.new_dialog_state_channel();
    let ear = phone.ear()?.map(Arc::new);
    let option = InviteOption {
        caller: phone.uri(&phone.name)?,
        callee: phone.uri(number)?,
        contact: phone.contact.clone(),
        credential: Some(phone.credential.clone()),
        content_type: Some("application/sdp".to_owned()),
        offer: Some(phone.session_description(ear.as_deref())),
        ..InviteOption::default()
    };
    let (dialog, result) =
        phone.dialogs.do_invite_async(option, sender).map_err(|error| phone.failed(error))?;
    let (tell, outcome) = watch::channel(CallOutcome::Calling);
    let (inner, media) = (Arc::clone(phone), ear.clone());
    tokio::spawn(async move {
        let answer = async {
            match result.await {
                Ok(Ok((_, Some(answer)))) if answer.status_code.kind() == StatusCodeKind::Successful => {
                    CallOutcome::Answered
                }
                Ok(Ok((_, Some(answer)))) => CallOutcome::Failed(u16::from(answer.status_code)),
                _ => CallOutcome::Ended,
            }
        };
        tokio::pin!(answer);
        let mut answered = false;
        loop {
            tokio::select! {
                outcome = &mut answer, if !answered => {
                    answered = true;
                    tell.send_if_modified(|now| {
                        let news = *now != CallOutcome::Ended;
                        *now = if news { outcome } else { *now };
                        news
                    });
                    inner.change();
                    if outcome != CallOutcome::Answered {
                        break;
                    }
                }
                state = states.recv() => match state {
                    Some(DialogState::Early(_, answer)) if answer.status_code == StatusCode::Ringing => {
                        // What was told of before the answer may be heard of after it.
                        tell.send_if_modified(|now| {
                            let news = *now == CallOutcome::Calling;
                            *now = if news { CallOutcome::Ringing } else { *now };
                            news
                        });
                        inner.change();
                    }
                    Some(DialogState::Message(_, request, handle)) => {
                        inner.tell(PhoneEvent::Text(String::from_utf8_lossy(&request.body).into_owned()));
                        let _ = handle.reply(StatusCode::OK).await;
                    }
                    Some(
                        DialogState::Updated(_, _, handle)
                        | DialogState::Notify(_, _, handle)
                        | DialogState::Info(_, _, handle)
                        | DialogState::Options(_, _, handle),
                    ) => {
                        let sdp = inner.session_description(media.as_deref());
                        let _ = handle.respond(StatusCode::OK, Some(sdp_headers()), Some(sdp)).await;
                    }
                    Some(DialogState::Terminated(id, _)) => {
                        inner.dialogs.remove_dialog(&id);
                        if answered {
                            tell.send_replace(CallOutcome::Ended);
                            inner.change();
                            break;
                        }
                    }
                    Some(_) => {}
                    None => break,
                },
            }
        }
    });
    Ok(PhoneCall { phone: Arc::clone(phone), dialog, outcome, ear })
}

pub(super) async fn text(phone: &Inner, name: Option<&str>, to: &str, text: &str) -> Result<(), LabError> {
    let failed = |error: rsipstack::Error| phone.failed(error);
    let uri = phone.uri(to)?;
    let party = |user: &str| phone.uri(user);
    let display_name = name.map(str::to_owned);
    let from = rsipstack::sip::typed::From { display_name, uri: party(&phone.name)?, params: vec![] };
    let to = rsipstack::sip::typed::To { display_name: None, uri: uri.clone(), params: vec![] };
    let via = phone.endpoint.get_via(None, None).map_err(failed)?;
    let from = from.with_tag(rsipstack::transaction::make_tag());
    let mut request = phone.endpoint.make_request(Method::Message, uri, via, from, to, 1, None);
    request.headers.push(Header::ContentType("text/plain".into()));
    request.body = text.as_bytes().to_vec();
    request.headers.unique_push(Header::ContentLength((request.body.len() as u32).into()));
    let key = TransactionKey::from_request(&request, TransactionRole::Client).map_err(failed)?;
    let mut transaction = Transaction::new_client(key, request, phone.endpoint.clone(), None);
    transaction.send().await.map_err(failed)?;
    let mut challenged = false;
    while let Some(message) = transaction.receive().await {
        let SipMessage::Response(answer) = message else { continue };
        match answer.status_code.kind() {
            StatusCodeKind::Provisional => {}
            StatusCodeKind::Successful => return Ok(()),
            _ if answer.status_code == StatusCode::Unauthorized && !challenged => {
                challenged = true;
                transaction = handle_client_authenticate(2, &transaction, answer, &phone.credential)
                    .await
                    .map_err(failed)?;
                transaction.send().await.map_err(failed)?;
            }
            _ => return Err(phone.failed(format!("text refused: {}", answer.status_code))),
        }
    }
    Err(phone.failed("text not answered"))
}
