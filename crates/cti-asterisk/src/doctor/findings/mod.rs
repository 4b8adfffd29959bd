//! From answers to findings.

mod phones;
mod routes;
mod server;

use super::answers::Answers;
use super::finding::Finding;
use super::needs::Site;

const RELOAD_MANAGER: &str = "asterisk -rx 'manager reload'";
const RELOAD_DIALPLAN: &str = "asterisk -rx 'dialplan reload'";
const RELOAD_PHONES: &str = "asterisk -rx 'module reload res_pjsip.so'";

/// What is not as Call Back needs it: what has to be changed first, then what is to be known. Without a change nothing has
/// to be done.
#[must_use]
pub fn findings(site: &Site, answers: &Answers) -> Vec<Finding> {
    let mut found = Vec::new();
    server::version(answers, &mut found);
    server::permissions(site, answers, &mut found);
    server::events(site, answers, &mut found);
    server::modules(site, answers, &mut found);
    phones::hints(site, answers, &mut found);
    phones::settings(answers, &mut found);
    phones::names(answers, &mut found);
    // Without it a permission is missing, which is told.
    if let Some(dialplan) = &answers.dialplan {
        routes::dialled(site, answers, dialplan, &mut found);
    }
    server::clock(answers, &mut found);
    phones::unreachable(answers, &mut found);
    found.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    found
}
