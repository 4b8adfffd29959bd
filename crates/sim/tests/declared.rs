//! How calls are placed and in which form data arrives: providers that do it in another way than the one of this workspace
//! pass if they declare it, and are named if they do not.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod provider_lab;

use std::collections::VecDeque;

use async_trait::async_trait;
use provider_lab::{Scissors, SimLab};
use ringback_cti::conformance;
use ringback_cti::message::{Answer, CallInfo, CallState};
use ringback_cti::{Capabilities, Command, CtiProvider, Delivery, Placing, ProviderEvent};
use ringback_cti_net::ClientProvider;
use ringback_model::Appearance;

/// What a provider does otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    /// Nothing.
    AsUsual,
    /// The phone rings first for a call that is made from it.
    RingsFirst,
    /// The phone rings once more when the call goes out already.
    RingsInBetween,
    /// Data is said in another form.
    Adapts,
    /// And that form is not what was said.
    Garbles,
}

struct Other {
    provider: ClientProvider,
    does: Does,
    placing: Placing,
    delivery: Delivery,
    /// Told before anything that comes.
    extra: VecDeque<ProviderEvent>,
    /// From here a call was ordered that has not been told yet.
    ordered: Option<Appearance>,
}

/// As other phones would have it.
fn adapted(content: &str) -> String {
    content.replace("<Title>T<", "<Title>t<")
}

#[async_trait]
impl CtiProvider for Other {
    fn capabilities(&self) -> Capabilities {
        let (placing, delivery) = (self.placing, self.delivery);
        Capabilities { placing, delivery, ..self.provider.capabilities() }
    }

    fn submit(&mut self, mut command: Command) {
        match (self.does, &mut command) {
            (_, Command::MakeCall { from, .. }) => self.ordered = Some(from.clone()),
            (Does::Adapts, Command::SendData { content, .. }) => *content = adapted(content),
            (Does::Garbles, Command::SendData { content, id: None, .. }) => {
                *content = adapted(content).replace("<Prompt>P<", "<Prompt>p<");
            }
            _ => {}
        }
        self.provider.submit(command);
    }

    async fn next(&mut self) -> Option<ProviderEvent> {
        if let Some(event) = self.extra.pop_front() {
            return Some(event);
        }
        let event = self.provider.next().await?;
        match &event {
            ProviderEvent::Answer { result: Err(_), .. } => self.ordered = None,
            ProviderEvent::Answer { result: Ok(Answer::CallMade(_)), .. } => {}
            ProviderEvent::Call { at, info } if self.ordered.as_ref() == Some(at) => {
                self.ordered = None;
                let rings = CallInfo { state: CallState::Ringing, ..info.clone() };
                let rings = ProviderEvent::Call { at: at.clone(), info: rings };
                match self.does {
                    Does::RingsFirst => {
                        self.extra.push_back(event);
                        return Some(rings);
                    }
                    Does::RingsInBetween => self.extra.push_back(rings),
                    Does::AsUsual | Does::Adapts | Does::Garbles => {}
                }
            }
            _ => {}
        }
        Some(event)
    }
}

/// What the suite says, by the rule that is broken.
async fn told(does: Does, placing: Placing, delivery: Delivery) -> Result<(), (&'static str, &'static str)> {
    let other =
        move |provider| Other { provider, does, placing, delivery, extra: VecDeque::new(), ordered: None };
    let lab = async || SimLab::new(Scissors::Stop, other).adapting(adapted);
    conformance::provider(lab).await.map_err(|violation| (violation.paragraph, violation.rule))
}

#[tokio::test(start_paused = true)]
async fn what_is_declared_passes() {
    assert_eq!(told(Does::AsUsual, Placing::Direct, Delivery::Verbatim).await, Ok(()));
    assert_eq!(told(Does::RingsFirst, Placing::RingsFirst, Delivery::Verbatim).await, Ok(()));
    assert_eq!(told(Does::Adapts, Placing::Direct, Delivery::Adapted).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn placing_that_is_not_declared_is_named() {
    let rule = "a call that is made goes out at once, unless the capabilities declare that its own phone rings first";
    let undeclared = told(Does::RingsFirst, Placing::Direct, Delivery::Verbatim).await;
    assert_eq!(undeclared, Err(("Calls", rule)));
    // First, and not later.
    let rule = "the states of a call are told in the order in which it had them";
    let later = told(Does::RingsInBetween, Placing::RingsFirst, Delivery::Verbatim).await;
    assert_eq!(later, Err(("Order", rule)));
}

#[tokio::test(start_paused = true)]
async fn delivery_that_is_not_declared_is_named() {
    let rule = "data reaches the phone byte for byte, in order, once";
    assert_eq!(told(Does::Adapts, Placing::Direct, Delivery::Verbatim).await, Err(("Data", rule)));
    let rule = "data reaches the phone as the same in the form that it takes, in order, once, where that is declared";
    for does in [Does::Garbles, Does::AsUsual] {
        assert_eq!(told(does, Placing::Direct, Delivery::Adapted).await, Err(("Data", rule)), "{does:?}");
    }
}
