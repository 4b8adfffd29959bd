//! HTTP of the phone: its own small server, and how it fetches a page.

use std::convert::Infallible;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri, client, server};
use hyper_util::rt::TokioIo;
use ringback_screen::phone::{PhoneAnswer, PhoneFault, PhoneObject, ResponseItem, parse};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Asks, Inner, XmlManner, lock};
use crate::error::LabError;

/// A phone takes no more in one form, and reads no longer page.
const BODY: usize = 16 * 1024;

pub(super) async fn serve(phone: Arc<Inner>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let phone = Arc::clone(&phone);
                connections.spawn(async move {
                    let answer = |request| {
                        let phone = Arc::clone(&phone);
                        async move { Ok::<_, Infallible>(answer(&phone, request).await) }
                    };
                    let mut http = server::conn::http1::Builder::new();
                    http.keep_alive(false);
                    // Whoever tells it something may leave early.
                    let _left = http.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(phone: &Inner, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let status = |status: StatusCode| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        response
    };
    if request.uri().path() != "/CGI/Execute" {
        return status(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::POST {
        return status(StatusCode::METHOD_NOT_ALLOWED);
    }
    let known = is_known(phone, request.headers().get(AUTHORIZATION)).await;
    let Ok(body) = Limited::new(request.into_body(), BODY).collect().await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let form = body.to_bytes();
    let xml = form_urlencoded::parse(&form).find(|(field, _)| field == "XML").map(|(_, xml)| xml);
    let manner = *lock(&phone.manner);
    let answer = match (manner, xml.as_deref().map(|xml| parse(xml.as_bytes()))) {
        (XmlManner::Status(number), _) => {
            return status(StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        }
        (XmlManner::Fails(number), _) => PhoneAnswer::Failed(PhoneFault::from_number(number)),
        _ if !known => PhoneAnswer::Failed(PhoneFault::Authentication),
        (_, Some(Ok(PhoneObject::Execute { items }))) => {
            let done =
                |url: &str| ResponseItem { url: url.to_owned(), data: "Success".to_owned(), status: 0 };
            let answer = PhoneAnswer::Done { items: items.iter().map(|item| done(&item.url)).collect() };
            match phone.orders.try_send(items) {
                Ok(()) => answer,
                Err(_) => PhoneAnswer::Failed(PhoneFault::Framing),
            }
        }
        _ => PhoneAnswer::Failed(PhoneFault::Parse),
    };
    match answer.to_xml() {
        Ok(xml) => Response::new(Full::from(xml)),
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// What is sent with this user and password.
pub(super) fn authorization(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

async fn is_known(phone: &Inner, given: Option<&HeaderValue>) -> bool {
    let Some(given) = given.and_then(|given| given.to_str().ok()) else { return false };
    match &phone.asks {
        Asks::Nobody { authorization } => given == authorization,
        Asks::Url(url) => {
            let decoded = given.strip_prefix("Basic ").and_then(|given| STANDARD.decode(given).ok());
            let decoded = decoded.and_then(|decoded| String::from_utf8(decoded).ok()).unwrap_or_default();
            let (user, password) = decoded.split_once(':').unwrap_or_default();
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("UserID", user), ("Password", password), ("devicename", "SEP000000000001")])
                .finish();
            get(phone, &format!("{url}?{query}")).await.is_ok_and(|answer| answer == "AUTHORIZED")
        }
    }
}

/// Fetches a page, as a phone does.
pub(super) async fn get(phone: &Inner, url: &str) -> Result<Bytes, LabError> {
    let failed = |what: &dyn std::fmt::Display| phone.failed(format!("{url}: {what}"));
    let uri: Uri = url.parse().map_err(|error| failed(&error))?;
    let authority = uri.authority().ok_or_else(|| failed(&"no host"))?.clone();
    let port = authority.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((authority.host(), port)).await.map_err(|error| failed(&error))?;
    let (mut sender, connection) =
        client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(HOST, authority.as_str())
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| failed(&error))?;
    let fetch = async {
        let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = response.status();
        let body =
            Limited::new(response.into_body(), BODY).collect().await.map_err(|error| failed(&error))?;
        if status.is_success() { Ok(body.to_bytes()) } else { Err(failed(&status)) }
    };
    tokio::pin!(fetch);
    tokio::select! {
        page = &mut fetch => page,
        // The connection ends with its last byte, which the page may have still to take.
        _ = connection => fetch.await,
    }
}
