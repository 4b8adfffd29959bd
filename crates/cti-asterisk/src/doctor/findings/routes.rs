//! Where phones and recalls dial, and where texts go.

use std::collections::BTreeMap;

use super::phones::each;
use super::{Finding, RELOAD_DIALPLAN, RELOAD_PHONES};
use crate::doctor::answers::Answers;
use crate::doctor::dialplan::{Dialplan, example};
use crate::doctor::finding::Change;
use crate::doctor::needs::Site;

/// What is to stand in the dialplan.
fn whole(name: &str, as_name: &str) -> Change {
    let lines =
        example(name).into_iter().map(|line| line.replace(&format!("[{name}]"), &format!("[{as_name}]")));
    Change::set("extensions.conf", lines)
}

pub(super) fn dialled(site: &Site, answers: &Answers, dialplan: &Dialplan, found: &mut Vec<Finding>) {
    let mut contexts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for phone in answers.phones() {
        if let Some(context) = answers.endpoints.get(phone).and_then(|endpoint| endpoint.context.as_deref()) {
            contexts.entry(context).or_default().push(phone);
        }
    }
    for (context, phones) in &contexts {
        dials_in(context, phones, dialplan, found);
    }
    let first = contexts.keys().next().copied().unwrap_or("phones");
    recalls(site, first, dialplan, found);
    if site.texts {
        texts(answers, dialplan, found);
    }
}

/// What must be dialled from a context of phones.
fn dials_in(context: &str, phones: &[&str], dialplan: &Dialplan, found: &mut Vec<Finding>) {
    let place = format!("extensions.conf, [{context}]");
    if !dialplan.has(context) {
        found.push(
            Finding::new(format!(
                "{} dial in the context {context}, which is not in the dialplan",
                phones.join(", ")
            ))
            .with(Change::set("extensions.conf", [format!("[{context}]")]))
            .then(RELOAD_DIALPLAN),
        );
        return;
    }
    let reached = dialplan.reached_from(context);
    let needs = [
        (
            "ringback-features",
            reached.iter().any(|context| context.has_code("CallBackKey")),
            "the CallBack key (*66 and a number) cannot be dialled in the context",
        ),
        (
            "ringback-nowhere",
            reached.iter().any(|context| context.takes_any_number()),
            "a phone that dials a number that is nobody's is not seen to be used in the context",
        ),
    ];
    for (name, is_there, what) in needs {
        if is_there {
            continue;
        }
        let finding = Finding::new(format!("{what} {context}, where {} dial", phones.join(", ")));
        let finding = if dialplan.has(name) { finding } else { finding.with(whole(name, name)) };
        let includes = dialplan.context(context).is_some_and(|it| it.includes.iter().any(|it| it == name));
        let finding = if includes {
            finding
        } else {
            finding.with(Change::set(&place, [format!("include => {name}")]))
        };
        found.push(finding.then(RELOAD_DIALPLAN));
    }
}

fn recalls(site: &Site, phones: &str, dialplan: &Dialplan, found: &mut Vec<Finding>) {
    let name = &site.recall_context;
    let reached = dialplan.reached_from(name);
    let waits = reached.iter().any(|context| context.has_extension("recall"));
    let dials = reached
        .iter()
        .any(|context| context.lines.iter().any(|line| line.extension != "recall" && line.priority == "1"));
    if !waits || !dials {
        let missing = if waits { "no number can be dialled" } else { "there is no extension recall" };
        found.push(
            Finding::new(format!("recalls begin in the context {name}, and {missing} there"))
                .with(whole("ringback-recall", name))
                .then(RELOAD_DIALPLAN),
        );
        return;
    }
    for target in reached.iter().flat_map(|context| context.goes_to()).filter(|target| !dialplan.has(target))
    {
        found.push(
            Finding::new(format!(
                "[{name}] dials in the context {target}, which is not in the dialplan: no call back reaches anybody"
            ))
            .with(Change::set(
                format!("extensions.conf, [{name}], instead of Goto({target},${{EXTEN}},1)"),
                [format!(" same => n,Goto({phones},${{EXTEN}},1)")],
            ))
            .then(RELOAD_DIALPLAN),
        );
    }
}

fn texts(answers: &Answers, dialplan: &Dialplan, found: &mut Vec<Finding>) {
    let taking = dialplan.raising("CallBackText");
    if taking.is_none() {
        found.push(
            Finding::new("no context takes the texts of phones: they cannot answer a screen by text")
                .with(whole("ringback-messages", "ringback-messages"))
                .then(RELOAD_DIALPLAN),
        );
    }
    let name = taking.unwrap_or("ringback-messages");
    let lost: Vec<&str> = answers
        .phones()
        .filter(|phone| {
            let Some(endpoint) = answers.endpoints.get(*phone) else { return false };
            // Without one of their own, texts go where calls go.
            let goes = endpoint.message_context.as_deref().or(endpoint.context.as_deref());
            let Some(goes) = goes else { return false };
            goes != name && !dialplan.reached_from(goes).iter().any(|context| context.raises("CallBackText"))
        })
        .collect();
    if !lost.is_empty() {
        let finding = Finding::new(format!("texts of {} do not reach ringback", lost.join(", ")));
        let line = format!("message_context = {name}");
        found.push(each(lost, &line, finding).then(RELOAD_PHONES));
    }
}
