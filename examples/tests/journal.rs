//! The story of a request as a scenario file: it parses, and passes with the scenario runner.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use ringback::db::RequestStore;
use ringback::model::{Epoch, RequestId};
use ringback_examples::journal::{Beginning, Journal, NotReplayable};
use ringback_scenario::language::{Action, DEFAULT_NODE, SetupStatement};
use ringback_scenario::nodes::{Nodes, Outfit};
use ringback_scenario::runner::in_simulated_time;
use ringback_scenario::world::{Site, World};
use ringback_scenario::{Outcome, parse, parse_action, simulate};

const PHONES: &str = "phone A 1001\nphone B 1002\nphone C 1003\nphone D 1004\n";

/// What was said of the request, and the scenario that its story became.
struct Told {
    story: String,
    scenario: Result<String, NotReplayable>,
}

/// Plays these lines as somebody at the prompt would, and tells the story of the first request.
fn told(lines: &str) -> Told {
    in_simulated_time(async {
        let setup = parse(PHONES).expect("phones");
        let (site, directory) = Site::in_memory(&setup.setup, ["cti1"]).await.expect("a site");
        let phones = setup.setup.iter().filter_map(|setup| match &setup.what {
            SetupStatement::Phone(phone) => Some(phone.clone()),
            _ => None,
        });
        let journal = Journal::new(Beginning { phones: phones.collect(), ..Beginning::default() });
        let outfit = Outfit::in_memory(&site, &directory);
        let mut world = World::new(site, Nodes::new(outfit));
        world.start(&[DEFAULT_NODE]).await.expect("an active instance");
        let site = world.site().clone();
        drop(tokio::spawn(journal.clone().follow(
            site.call_manager.clone(),
            site.store.clone(),
            site.group.clone(),
        )));
        let mut names = setup.names();
        for line in lines.lines() {
            let action = parse_action(line, &mut names).expect(line);
            let Some(action) = action else { continue };
            journal.acts(site.call_manager.now(), &action);
            world.act(&action).await.expect(line);
            if !matches!(action, Action::Wait(_)) {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            let records = site.store.load(&site.group).await.expect("a store");
            journal.sees(&site.call_manager, &records);
        }
        let handle = world.instances().handle(DEFAULT_NODE).expect("an instance");
        let first = RequestId { epoch: Epoch(1), number: 1 };
        let story = handle.story(first).await.expect("a story");
        Told { scenario: journal.scenario(&story), story: story.to_string() }
    })
    .expect("a runtime")
}

/// The scenario, which has been played.
fn replayed(lines: &str) -> (String, String) {
    let told = told(lines);
    let text = told.scenario.expect("it can be written");
    let scenario = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    match simulate(&scenario).expect("a runtime").outcome {
        Outcome::Passed { .. } => (told.story, text),
        other => panic!("{other:?}\n{text}"),
    }
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect::<Vec<_>>().join("\n")
}

const REQUEST: &str =
    "C calls 1002\nB answers\nwait 3s\nA calls 1002\nA presses CallBack\nA presses Exit\nA hangs up\n";

#[test]
fn notified_and_cancelled() {
    let (story, text) = replayed(&format!("{REQUEST}wait 30s\nC hangs up\nwait 4s\nA presses Cancel"));
    assert_eq!(
        without_comments(&text),
        "phone A 1001
phone B 1002
phone C 1003
C calls 1002
expect B rings from 1003
expect C hears ringback
B answers
wait 3s
A calls 1002
expect A hears busy
A presses CallBack
expect A shows \"CallBack is activated on 1002\"
expect pending 1
A presses Exit
expect A shows nothing
A hangs up
wait 30s
C hangs up
expect A alerted
expect A shows \"1002 has become available\"
wait 4s
A presses Cancel
expect A shows nothing
expect pending 0"
    );
    assert!(text.starts_with("# request 1-1: A (1001) called 1002, who was busy\n# 14:00:0"), "{text}");
    assert!(story.ends_with("ended: you cancelled"), "{story}");
}

#[test]
fn suspended_then_notified() {
    let (story, text) = replayed(&format!(
        "{REQUEST}A calls 1004\nD answers\nC hangs up\nwait 10s\nA hangs up\nwait 2s\nA presses Dial\nB answers"
    ));
    assert!(
        text.contains("\nexpect never A alerted for 10s\nA hangs up\nexpect A alerted\n"),
        "{story}\n{text}"
    );
    assert!(story.contains(" not alerted: your phone was busy\n"), "{story}");
}

#[test]
fn withdrawn_and_notified_anew() {
    let (story, text) =
        replayed(&format!("{REQUEST}C hangs up\nwait 5s\nB lifts\nwait 5s\nB replaces\nwait 25s"));
    assert!(story.contains(" your turn is withdrawn: 1002 is no more available\n"), "{story}");
    assert!(story.ends_with(" you let your turn pass: not alerted again"), "{story}");
    assert_eq!(text.matches("expect A alerted\n").count(), 2, "{text}");
}

#[test]
fn expired_by_a_changed_duration() {
    let (story, text) = replayed(&format!("set \"Call Back Busy Duration\" = 2m\nwait 1m\n{REQUEST}wait 3m"));
    assert!(story.ends_with("ended: its time is over"), "{story}");
    assert!(text.contains("\nset \"Call Back Busy Duration\" = 2m\nC calls 1002\n"), "{text}");
    assert!(text.ends_with("\nexpect pending 0\n"), "{text}");
}

#[test]
fn what_went_on_before_is_left_out_and_what_lasts_of_it_is_kept() {
    let before = "D calls 1003\nwait 2s\nD hangs up\nD dnd on\nset \"Call Back Recall Timer\" = 5s\nB calls 1001\nB hangs up\nwait 1h\n";
    let (story, text) = replayed(&format!("{before}{REQUEST}C hangs up\nwait 6s"));
    assert!(story.ends_with("you let your turn pass: not alerted again"), "{story}");
    assert!(!text.contains("wait 1h") && !text.contains("D calls"), "{text}");
    assert!(text.contains("\nset \"Call Back Recall Timer\" = 5s\n"), "{text}");
}
