//! The provider is what its port promises, at a live server.

use ringback_cti::conformance::{self, Ability, Lab, Violation};
use ringback_pbx_lab::Release;

use super::lab::PbxLab;

async fn proven(release: Release) -> Result<(), Violation> {
    let Some(lab) = PbxLab::open(release).await else { return Ok(()) };
    // What the PBX cannot do at all, and nothing else.
    assert_eq!(conformance::left_out(&lab), [("another_user_is_told", vec![Ability::Users])]);
    assert_eq!(lab.abilities().len() + 1, Ability::ALL.len());
    drop(lab);
    conformance::provider(async || PbxLab::open(release).await.unwrap()).await
}

#[tokio::test]
async fn the_provider_is_what_its_port_promises() -> Result<(), Violation> {
    proven(Release::V22).await
}

#[tokio::test]
async fn so_it_is_on_asterisk_16() -> Result<(), Violation> {
    proven(Release::V16).await
}
