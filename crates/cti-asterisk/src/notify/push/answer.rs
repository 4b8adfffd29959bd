//! What phones are answered.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, EXPIRES, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use ringback_screen::phone::{ExecuteItem, PhoneObject, Priority, SoftKeyPress};

use super::address::Mark;
use super::server::Desk;
use crate::notify::{Place, Press};

/// The longest form that a phone sends, in bytes.
const FORM_BYTES: usize = 1024;

/// What the request of a connection pressed.
#[derive(Clone, Default)]
pub(super) struct Pressed(Arc<Mutex<Option<(Place, Press)>>>);

impl Pressed {
    fn set(&self, place: Place, press: Press) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some((place, press));
    }

    pub(super) fn is_some(&self) -> bool {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).is_some()
    }

    pub(super) fn tell(&self) {
        let pressed = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some((place, press)) = pressed {
            place.tell(press);
        }
    }
}

/// Answers one request; a key that it presses is left in `pressed`.
pub(super) async fn answer(
    desk: &Desk,
    pressed: &Pressed,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let mut parts = path.strip_prefix('/').unwrap_or_default().split('/');
    let parts = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
    match (request.method(), parts) {
        (&Method::GET, [Some("screen"), Some(token), None, ..]) => {
            let xml = token.parse().ok().and_then(|token| Some(desk.table().fetch(token)?.to_owned()));
            xml.map_or_else(|| status(not_here(desk)), screen)
        }
        (&Method::GET, [Some("key"), Some(signature), Some(device), Some(content), None]) => {
            match desk.signer.read(signature, device, content) {
                Some((mark, press)) => take(desk, pressed, mark, press),
                None => status(StatusCode::NOT_FOUND),
            }
        }
        (&Method::GET, [Some("active"), None, ..]) => {
            status(if desk.acts() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
        }
        (&Method::GET | &Method::POST, [Some("authenticate"), None, ..]) if desk.config.authenticates => {
            authenticate(desk, request).await
        }
        (_, [Some("screen" | "key" | "active" | "authenticate"), ..]) if request.method() != Method::GET => {
            status(StatusCode::METHOD_NOT_ALLOWED)
        }
        _ => status(StatusCode::NOT_FOUND),
    }
}

/// What is not here may be at the instance that acts.
fn not_here(desk: &Desk) -> StatusCode {
    if desk.acts() { StatusCode::NOT_FOUND } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// A key of a screen that was shown here, and is on the phone: it stays there until the service says otherwise. A key of a
/// screen that another instance has shown, or this program before it was started anew: what is on the phone is not known
/// here, and goes; whether the key is still of use the service knows.
fn take(desk: &Desk, pressed: &Pressed, mark: Mark, press: Press) -> Response<Full<Bytes>> {
    let table = desk.table();
    let shown = table.press(&press.device, mark);
    let is_ok = || SoftKeyPress::parse(&press.content).is_ok_and(|press| press.key.to_string() == "OK");
    if shown.is_none() && table.shown(&press.device).is_some() && is_ok() {
        // What it agrees to has been replaced by another proposal, perhaps.
        return close();
    }
    let place = shown.and_then(|(presses, _)| presses.reserve()).or_else(|| desk.reserve(&press.device));
    let Some(place) = place else {
        tracing::info!(device = ?press.device, "a key was pressed, and nobody takes it here: this instance does not act");
        return status(StatusCode::SERVICE_UNAVAILABLE);
    };
    pressed.set(place, press);
    shown.map_or_else(close, |(_, xml)| screen(xml.to_owned()))
}

/// Takes away what the phone shows.
fn close() -> Response<Full<Bytes>> {
    let item = ExecuteItem { url: "Init:Services".to_owned(), priority: Priority::AtOnce };
    match (PhoneObject::Execute { items: vec![item] }).to_xml() {
        Ok(xml) => screen(xml),
        Err(_) => status(StatusCode::NOT_FOUND),
    }
}

/// A phone asks whether a login is right. It takes nothing but the bare word for an answer.
async fn authenticate(desk: &Desk, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let mut fields = request.uri().query().unwrap_or_default().as_bytes().to_vec();
    if request.method() == Method::POST {
        match Limited::new(request.into_body(), FORM_BYTES).collect().await {
            Ok(body) => fields = body.to_bytes().to_vec(),
            Err(_) => return status(StatusCode::PAYLOAD_TOO_LARGE),
        }
    }
    let field = |name: &str| {
        let found = form_urlencoded::parse(&fields).find(|(field, _)| field == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let right = desk.config.login.is(&field("UserID"), &field("Password"));
    let mut response = Response::new(Full::from(if right { "AUTHORIZED" } else { "UN-AUTHORIZED" }));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn screen(xml: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(xml));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=UTF-8"));
    // The phone is not to come back to it by itself.
    headers.insert(EXPIRES, HeaderValue::from_static("-1"));
    response
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
