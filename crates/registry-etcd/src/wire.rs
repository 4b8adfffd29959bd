//! What etcd's HTTP interface says: JSON in which numbers of 64 bits are texts, zeros are left out, and bytes are base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// A lease of etcd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LeaseId(pub(crate) i64);

pub(crate) fn text(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(Error::custom)
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    STANDARD.decode(String::deserialize(deserializer)?).map(Bytes::from).map_err(Error::custom)
}

/// Comes with each answer.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Header {
    /// Of the whole store: the last change.
    #[serde(default, deserialize_with = "number")]
    pub(crate) revision: i64,
}

/// A key with its value.
#[derive(Debug, Deserialize)]
pub(crate) struct KeyValue {
    #[serde(default, deserialize_with = "bytes")]
    pub(crate) key: Bytes,
    #[serde(default, deserialize_with = "bytes")]
    pub(crate) value: Bytes,
    /// When it was written last.
    #[serde(default, deserialize_with = "number")]
    pub(crate) mod_revision: i64,
    /// The lease with which it ends; zero: none.
    #[serde(default, deserialize_with = "number")]
    pub(crate) lease: i64,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct RangeAnswer {
    #[serde(default)]
    pub(crate) kvs: Vec<KeyValue>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct TxnAnswer {
    pub(crate) header: Header,
    #[serde(default)]
    pub(crate) succeeded: bool,
    #[serde(default)]
    pub(crate) responses: Vec<Done>,
}

/// What came of one operation of a transaction.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    pub(crate) response_range: RangeAnswer,
}

#[derive(Debug, Deserialize)]
pub(crate) struct GrantAnswer {
    #[serde(rename = "ID", deserialize_with = "number")]
    pub(crate) id: i64,
    /// Seconds; may be more than was asked for.
    #[serde(rename = "TTL", default, deserialize_with = "number")]
    pub(crate) ttl: i64,
}

/// An answer in a stream.
#[derive(Debug, Deserialize)]
pub(crate) struct Streamed<T> {
    pub(crate) result: Option<T>,
    pub(crate) error: Option<Refusal>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct KeepAliveAnswer {
    /// Zero: there is no such lease (any more).
    #[serde(rename = "TTL", default, deserialize_with = "number")]
    pub(crate) ttl: i64,
}

#[derive(Deserialize)]
pub(crate) struct AuthAnswer {
    pub(crate) token: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct WatchAnswer {
    #[serde(default)]
    pub(crate) header: Header,
    #[serde(default)]
    pub(crate) created: bool,
    #[serde(default)]
    pub(crate) canceled: bool,
    #[serde(default)]
    pub(crate) events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) kv: KeyValue,
}

/// Why a call was refused.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default, alias = "grpc_code")]
    pub(crate) code: i64,
    #[serde(default)]
    pub(crate) message: String,
}

/// An operation that reads from one key up to before another.
pub(crate) fn read((from, to): &(String, String)) -> Value {
    json!({ "request_range": { "key": text(from), "range_end": text(to) } })
}

pub(crate) fn put(key: &str, value: &[u8], lease: Option<LeaseId>) -> Value {
    let lease = lease.map_or(0, |lease| lease.0).to_string();
    json!({ "request_put": { "key": text(key), "value": text(value), "lease": lease } })
}

pub(crate) fn delete(key: &str) -> Value {
    json!({ "request_delete_range": { "key": text(key) } })
}

/// That a key was written last at this revision; zero: that there is none.
pub(crate) fn unchanged(key: &str, revision: i64) -> Value {
    json!({ "target": "MOD", "result": "EQUAL", "key": text(key), "mod_revision": revision.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_they_come() {
        let answer = r#"{"header":{"cluster_id":"14841639068965178418","revision":"12","raft_term":"2"},"succeeded":true,
            "responses":[{"response_range":{"header":{"revision":"12"},"kvs":[{"key":"YQ==","create_revision":"2",
            "mod_revision":"2","version":"1","value":"Yg==","lease":"7587899098497170949"}],"count":"1"}},
            {"response_put":{"header":{"revision":"12"}}},{"response_range":{"header":{"revision":"12"}}}]}"#;
        let answer: TxnAnswer = serde_json::from_str(answer).unwrap();
        assert_eq!((answer.header.revision, answer.succeeded), (12, true));
        let [found] = &answer.responses[0].response_range.kvs[..] else { panic!("{answer:?}") };
        assert_eq!((&found.key[..], &found.value[..]), (&b"a"[..], &b"b"[..]));
        assert_eq!((found.mod_revision, found.lease), (2, 7_587_899_098_497_170_949));
        assert!(answer.responses[2].response_range.kvs.is_empty());
    }

    #[test]
    fn a_lease_that_is_gone_has_no_time_left() {
        let gone = r#"{"result":{"header":{"revision":"1"},"ID":"999"}}"#;
        let gone: Streamed<KeepAliveAnswer> = serde_json::from_str(gone).unwrap();
        assert_eq!(gone.result.map(|answer| answer.ttl), Some(0));
    }

    #[test]
    fn a_key_that_ended_is_told_with_its_revision() {
        let event = r#"{"result":{"header":{"revision":"9"},"events":[{"type":"DELETE","kv":{"key":"YQ==","mod_revision":"9"}}]}}"#;
        let event: Streamed<WatchAnswer> = serde_json::from_str(event).unwrap();
        let answer = event.result.unwrap();
        assert_eq!((answer.created, answer.events[0].kv.mod_revision), (false, 9));
    }

    #[test]
    fn operations() {
        assert_eq!(
            put("a", b"b", Some(LeaseId(7))).to_string(),
            r#"{"request_put":{"key":"YQ==","lease":"7","value":"Yg=="}}"#
        );
        assert_eq!(
            unchanged("a", 0).to_string(),
            r#"{"key":"YQ==","mod_revision":"0","result":"EQUAL","target":"MOD"}"#
        );
    }
}
