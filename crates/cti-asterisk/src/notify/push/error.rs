use std::io;

use hyper::StatusCode;
use ringback_cti::message::CtiError;
use ringback_cti::{LinkLoss, RequestFailure};
use ringback_model::Millis;
use ringback_screen::phone::{PhoneAnswer, PhoneFault, PhoneXmlError};
use thiserror::Error;

/// Why a phone was not told something. Unless it says so, the phone has done nothing of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PushError {
    /// A phone would not take it.
    #[error("no phone would take it: {0}")]
    Screen(#[from] PhoneXmlError),
    /// The machine gave no random bits for a token.
    #[error("no random bits from this machine: {0}")]
    Random(getrandom::Error),
    /// The phone cannot be reached.
    #[error("cannot connect: {0}: check the phone's address, and that its web access is switched on")]
    Connect(io::Error),
    /// The phone did not take the connection in time.
    #[error("cannot connect within {}: check the phone's address, and that it has power", Seconds(*.0))]
    ConnectTimeout(Millis),
    /// The phone did not answer in time. It may have done what it was told.
    #[error("no answer within {}: look whether the phone hangs, or give it longer (`answer`)", Seconds(*.0))]
    AnswerTimeout(Millis),
    /// The phone broke off. It may have done what it was told.
    #[error("the phone broke off: {0}: restart it if that comes again")]
    Broken(String),
    /// The phone's web server refuses user and password.
    #[error(
        "the phone refuses user and password (HTTP {status}): give the ones that its own configuration or its \
         authentication URL accepts"
    )]
    Unauthorized {
        /// What it answered.
        status: StatusCode,
    },
    /// There is a web server, but not that of a phone.
    #[error(
        "there is no /CGI/Execute (HTTP 404): check that the address is the phone's, and that its model knows it"
    )]
    NotAPhone,
    /// The phone refuses the size.
    #[error(
        "the phone takes no order of this size (HTTP 413): shorten the address that phones are told (`public`)"
    )]
    TooLarge,
    /// The phone answers with another status.
    #[error("the phone answers HTTP {status}: look at its own web page or its log why")]
    Status {
        /// What it answered.
        status: StatusCode,
    },
    /// The answer is too long. It may have done what it was told.
    #[error("the phone's answer is longer than {limit} bytes: check that the address is a phone's")]
    AnswerTooLong {
        /// What is read at most.
        limit: usize,
    },
    /// The answer is none. It may have done what it was told.
    #[error("not the answer of a phone: {0}; check that the address is a phone's")]
    Garbled(PhoneXmlError),
    /// The phone answers with an error.
    #[error(transparent)]
    Fault(#[from] PhoneFault),
    /// The phone could not do one of the items.
    #[error("the phone answers to an item with status {status}: see the notes of its model")]
    Item {
        /// What it says.
        status: i32,
    },
    /// The phone did not fetch the screen.
    #[error(
        "the phone took the order, but has not fetched its screen from http://{public} within {}: check that it reaches \
         that address (`public`), also through firewalls", Seconds(*.within)
    )]
    NotFetched {
        /// From where.
        public: String,
        /// In what time.
        within: Millis,
    },
}

impl PushError {
    /// What a phone's answer comes to.
    pub(super) fn of(answer: PhoneAnswer) -> Result<(), Self> {
        match answer {
            PhoneAnswer::Done { items } => match items.into_iter().find(|item| item.status != 0) {
                Some(item) => Err(Self::Item { status: item.status }),
                None => Ok(()),
            },
            PhoneAnswer::Failed(fault) => Err(fault.into()),
            _ => Ok(()),
        }
    }

    /// What the service is to hold of it: refused for good, never sent, or not known.
    pub(super) fn failure(&self) -> RequestFailure {
        RequestFailure::Refused(match self {
            Self::Screen(PhoneXmlError::Limit(_)) | Self::TooLarge => CtiError::DataSizeLimitExceeded,
            Self::Unauthorized { .. } | Self::Fault(PhoneFault::Authentication) => CtiError::DeviceRestricted,
            Self::NotAPhone => CtiError::NotSupported,
            Self::Connect(_) | Self::ConnectTimeout(_) | Self::Random(_) => {
                return RequestFailure::NeverSent(LinkLoss::Connect(self.to_string()));
            }
            Self::AnswerTimeout(_)
            | Self::Broken(_)
            | Self::AnswerTooLong { .. }
            | Self::Garbled(_)
            | Self::Fault(PhoneFault::Framing)
            | Self::NotFetched { .. } => return RequestFailure::OutcomeUnknown,
            Self::Screen(_) | Self::Fault(_) | Self::Status { .. } | Self::Item { .. } => {
                CtiError::DataRejected
            }
        })
    }
}

struct Seconds(Millis);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} s", std::time::Duration::from_millis(self.0.0).as_secs_f32())
    }
}
