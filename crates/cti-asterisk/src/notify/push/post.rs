//! Telling a phone something: one form is posted, one answer read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ringback_model::Millis;
use ringback_screen::ANSWER_BYTES;
use ringback_screen::phone::{ExecuteItem, PhoneAnswer, PhoneObject};
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::config::{Login, duration};
use super::error::PushError;

/// The port of a phone that has no other.
const PORT: u16 = 80;

/// Has the phone at this address do this, within this time.
pub(super) async fn execute(
    host: &str,
    login: &Login,
    items: Vec<ExecuteItem>,
    within: Millis,
) -> Result<(), PushError> {
    let xml = PhoneObject::Execute { items }.to_xml()?;
    let request = request(host, login, &xml)?;
    let end = Instant::now() + duration(within);
    let connecting = connect(host);
    let stream = timeout_at(end, connecting).await.map_err(|_| PushError::ConnectTimeout(within))?;
    let stream = stream.map_err(PushError::Connect)?;
    timeout_at(end, converse(stream, request)).await.map_err(|_| PushError::AnswerTimeout(within))?
}

fn request(host: &str, login: &Login, xml: &str) -> Result<Request<Full<Bytes>>, PushError> {
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("XML", xml).finish();
    let credentials = STANDARD.encode(format!("{}:{}", login.user, login.password.expose_secret()));
    let broken = |error: &dyn std::fmt::Display| PushError::Broken(error.to_string());
    let mut authorization =
        HeaderValue::from_str(&format!("Basic {credentials}")).map_err(|error| broken(&error))?;
    authorization.set_sensitive(true);
    Request::post("/CGI/Execute")
        .header(HOST, host)
        .header(AUTHORIZATION, authorization)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(CONNECTION, "close")
        .body(Full::from(form))
        .map_err(|error| broken(&error))
}

async fn connect(host: &str) -> std::io::Result<TcpStream> {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { TcpStream::connect(host).await } else { TcpStream::connect(format!("{host}:{PORT}")).await }
}

async fn converse(stream: TcpStream, request: Request<Full<Bytes>>) -> Result<(), PushError> {
    let broken = |error: hyper::Error| PushError::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let answering = async { read(sender.send_request(request).await.map_err(broken)?).await };
    tokio::pin!(answering);
    tokio::select! {
        answer = &mut answering => answer,
        // The connection can end before its last bytes are looked at.
        _ = connection => answering.await,
    }
}

async fn read(response: Response<Incoming>) -> Result<(), PushError> {
    match response.status() {
        StatusCode::OK => {}
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            return Err(PushError::Unauthorized { status });
        }
        StatusCode::NOT_FOUND => return Err(PushError::NotAPhone),
        StatusCode::PAYLOAD_TOO_LARGE => return Err(PushError::TooLarge),
        status => return Err(PushError::Status { status }),
    }
    let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
    let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => PushError::AnswerTooLong { limit: ANSWER_BYTES },
        None => PushError::Broken(error.to_string()),
    })?;
    PushError::of(PhoneAnswer::parse(&body.to_bytes()).map_err(PushError::Garbled)?)
}
