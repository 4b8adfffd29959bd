//! What every [`CtiProvider`](crate::CtiProvider) must do, as a suite that its implementer runs (feature
//! `conformance`):
//!
//! ```
//! # use ringback_cti::conformance::{self, Lab, Violation};
//! # #[expect(dead_code, reason = "only that it compiles")]
//! # async fn run<MyLab: Lab>(my_lab: impl AsyncFn() -> MyLab) -> Result<(), Violation> {
//! conformance::provider(async || my_lab().await).await
//! # }
//! ```
//!
//! A [`Lab`] is the world around the provider: it lets phones call, answer and ring, cuts the link, and looks at what came of
//! it. What a far side cannot do it leaves out of its [abilities](Lab::abilities). The suite asks for a fresh lab per case,
//! needs no runtime, and holds made-up names only; call
//! [`reveal_personal_data`](ringback_model::reveal_personal_data) to see those of the lab in a violation.

mod calls;
mod data;
mod lab;
mod link;
mod opening;
mod phones;
mod rules;
mod seat;

use std::fmt::Debug;

use thiserror::Error;

pub use lab::{Ability, Act, Lab, Wait};
pub use rules::Rule;

/// What a provider does otherwise than its port demands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{case}: {rule}: expected {expected}, saw {saw} (documentation of `CtiProvider`, \"{paragraph}\")")]
pub struct Violation {
    /// The case of the suite in which it was seen.
    pub case: &'static str,
    /// What is demanded, in words.
    pub rule: &'static str,
    /// The paragraph of the documentation of [`CtiProvider`](crate::CtiProvider) that demands it.
    pub paragraph: &'static str,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub saw: String,
}

impl Violation {
    fn new(rule: Rule, expected: impl Into<String>, saw: impl Debug) -> Self {
        Self {
            case: "",
            rule: rule.text,
            paragraph: rule.paragraph,
            expected: expected.into(),
            saw: format!("{saw:?}"),
        }
    }
}

fn same<T: PartialEq + Debug>(rule: Rule, saw: T, expected: T) -> Result<(), Violation> {
    if saw == expected { Ok(()) } else { Err(Violation::new(rule, format!("{expected:?}"), saw)) }
}

/// Every case by its name, with what it needs.
macro_rules! cases {
    ($($module:ident::$case:ident $([$($need:ident),*])?;)*) => {
        const CASES: &[(&str, &[Ability])] = &[$((stringify!($case), &[$($(Ability::$need),*)?])),*];

        async fn run<L: Lab>(make: impl AsyncFn() -> L) -> Result<(), Violation> {
            $({
                let mut lab = make().await;
                if lacking(&lab, &[$($(Ability::$need),*)?]).next().is_none() {
                    let result = $module::$case(&mut lab).await;
                    result.map_err(|violation| Violation { case: stringify!($case), ..violation })?;
                }
            })*
            Ok(())
        }
    };
}

cases! {
    opening::a_stand_by_opens_nothing;
    opening::what_is_asked_for_while_standing_by_is_opened_when_it_acts;
    opening::relinquishing_closes_everything;
    opening::a_later_epoch_of_ones_own_changes_nothing;
    opening::the_first_look_comes_before_changes;
    opening::nothing_is_lost_between_look_and_changes;
    opening::only_what_is_open_is_reported;
    opening::closing_stops_the_reports;
    opening::asking_again_reads_anew;
    opening::what_does_not_exist_is_named;
    calls::a_call_is_told_in_order_at_both_ends;
    calls::a_call_is_made;
    calls::a_busy_destination_is_named;
    calls::an_unknown_destination_is_named;
    calls::a_call_from_a_closed_line_is_refused;
    calls::forwarding_is_followed_or_overridden [Forwarding];
    calls::next_may_be_dropped;
    phones::activity_is_told;
    phones::do_not_disturb_is_told [DoNotDisturb];
    phones::another_user_is_told [Users];
    phones::a_phone_out_of_service_is_told_and_read_again [Registration];
    phones::the_feature_key_reaches_who_acts [FeatureKey];
    phones::the_feature_key_tells_the_call [FeatureKey];
    phones::the_key_of_a_screen_reaches_the_application [ScreenKey];
    data::data_arrives_unchanged_and_in_order [Data];
    data::data_that_is_too_large_is_refused [Data];
    data::data_for_a_closed_phone_is_refused [Data];
    data::an_alert_takes_effect_as_declared [Alert];
    data::an_alert_is_known_after_a_reconnect [Alert, Link];
    link::a_lost_link_is_told_and_everything_read_anew [Link];
    link::what_is_asked_while_the_link_is_down_holds [Link];
    link::commands_around_a_loss_are_answered_once [Link];
    link::who_is_replaced_has_no_effect [Instances];
    link::who_is_replaced_cannot_come_back [Instances];
    link::an_alert_is_known_to_the_next_instance [Instances, Alert];
}

fn lacking<L: Lab>(lab: &L, needs: &'static [Ability]) -> impl Iterator<Item = Ability> {
    needs.iter().copied().filter(|need| !lab.abilities().contains(need))
}

/// Proves a provider, in a fresh lab from `make` for every case.
///
/// # Errors
/// The first rule that it breaks.
pub async fn provider<L: Lab>(make: impl AsyncFn() -> L) -> Result<(), Violation> {
    {
        use crate::provider::{CtiProvider, Fencing};
        let mut lab = make().await;
        let strict = lab.provider().await.capabilities().fencing == Fencing::Strict;
        if strict && !lab.abilities().contains(&Ability::Instances) {
            return Err(Violation::new(
                rules::LAB,
                "a lab for several instances, as it declares Strict",
                "none",
            ));
        }
    }
    run(make).await
}

/// The cases that the suite leaves out with this lab, and what that cannot do.
pub fn left_out<L: Lab>(lab: &L) -> Vec<(&'static str, Vec<Ability>)> {
    CASES
        .iter()
        .map(|(case, needs)| (*case, lacking(lab, needs).collect::<Vec<_>>()))
        .filter(|(_, lacking)| !lacking.is_empty())
        .collect()
}
