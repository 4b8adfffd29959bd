//! The provider is what its port promises, at a live server.

use ringback_cti::conformance::{self, Ability, Lab, Violation};

use super::lab::PbxLab;

#[tokio::test]
async fn the_provider_is_what_its_port_promises() -> Result<(), Violation> {
    let Some(lab) = PbxLab::open().await else { return Ok(()) };
    // What the PBX cannot do at all, and nothing else.
    assert_eq!(conformance::left_out(&lab), [("another_user_is_told", vec![Ability::Users])]);
    assert_eq!(lab.abilities().len() + 1, Ability::ALL.len());
    drop(lab);
    conformance::provider(async || PbxLab::open().await.unwrap()).await
}
