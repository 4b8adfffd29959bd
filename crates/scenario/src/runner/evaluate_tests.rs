use super::*;
use crate::language::{Expectation, StepStatement};
use crate::parse;

/// A world with two phones and two instances, as the test sets it.
struct Fixed {
    tone: Tone,
    rings: Vec<DirectoryNumber>,
    idle: bool,
    talks_with: Option<DirectoryNumber>,
    screen: Option<Screen>,
    prompt: Option<String>,
    instances: Vec<InstanceStatus>,
    queue: Vec<DeviceName>,
    alerts: Vec<&'static str>,
    alarms: Vec<&'static str>,
}

impl Default for Fixed {
    fn default() -> Self {
        let instance = |address: &str, ready| InstanceStatus {
            address: address.parse().unwrap(),
            asked: true,
            active: Some("10.0.0.1".parse().unwrap()),
            backups: vec!["10.0.0.2".parse().unwrap()],
            ready,
            registered: Some("cti1".to_owned()),
            database_up: true,
        };
        Self {
            tone: Tone::Silence,
            rings: Vec::new(),
            idle: true,
            talks_with: None,
            screen: None,
            prompt: None,
            instances: vec![instance("10.0.0.1", true), instance("10.0.0.2", false)],
            queue: Vec::new(),
            alerts: Vec::new(),
            alarms: Vec::new(),
        }
    }
}

impl Observations for Fixed {
    fn hears(&self, _: &DeviceName) -> Tone {
        self.tone
    }
    fn rings(&self, _: &DeviceName) -> Vec<DirectoryNumber> {
        self.rings.clone()
    }
    fn talks_with(&self, _: &DeviceName) -> Option<DirectoryNumber> {
        self.talks_with.clone()
    }
    fn is_idle(&self, _: &DeviceName) -> bool {
        self.idle
    }
    fn screen(&self, _: &DeviceName) -> Option<Screen> {
        self.screen.clone()
    }
    fn prompt(&self, _: &DeviceName) -> Option<String> {
        self.prompt.clone()
    }
    fn instances(&self) -> Vec<InstanceStatus> {
        self.instances.clone()
    }
    fn pending(&self) -> u64 {
        self.queue.len() as u64
    }
    fn queue(&self, _: &DirectoryNumber) -> Vec<DeviceName> {
        self.queue.clone()
    }
    fn open_devices(&self) -> u64 {
        2
    }
    fn open_lines(&self) -> u64 {
        1
    }
    fn mark(&self) -> Mark {
        Mark { alerts: self.alerts.len(), alarms: self.alarms.len() }
    }
    fn alerts_since(&self, mark: Mark, phone: &DeviceName) -> u64 {
        self.alerts[mark.alerts..].iter().filter(|name| **name == phone.as_str()).count() as u64
    }
    fn alarms_since(&self, mark: Mark, name: &str) -> u64 {
        self.alarms[mark.alarms..].iter().filter(|raised| **raised == name).count() as u64
    }
}

fn look(world: &Fixed, condition: &str) -> (bool, String) {
    look_since(world, condition, Mark::default())
}

fn look_since(world: &Fixed, condition: &str, since: Mark) -> (bool, String) {
    let text = format!("node 10.0.0.1,10.0.0.2\nphone A 1001\nphone B 1002\nexpect {condition}");
    let scenario = parse(&text).unwrap();
    let StepStatement::Expectation(Expectation::Holds { condition, .. }) = &scenario.steps[0].what else {
        panic!("no expectation: {text}")
    };
    let Seen { holds, saw } = evaluate(condition, world, since);
    (holds, saw)
}

fn yes(world: &Fixed, condition: &str) {
    assert!(look(world, condition).0, "{condition}: {}", look(world, condition).1);
}

fn no(world: &Fixed, condition: &str, saw: &str) {
    assert_eq!(look(world, condition), (false, saw.to_owned()), "{condition}");
}

#[test]
fn calls_and_tones() {
    let mut world = Fixed::default();
    yes(&world, "A idle");
    yes(&world, "A hears silence");
    no(&world, "A hears busy", "A hears silence");
    no(&world, "A connected to 1002", "A idle");
    world.idle = false;
    no(&world, "A idle", "A in a call on hold");
    world.talks_with = Some(DirectoryNumber::new("1003").unwrap());
    yes(&world, "A connected to 1003");
    no(&world, "A connected to 1002", "A connected to 1003");
    world.talks_with = None;
    world.tone = Tone::Busy;
    no(&world, "A idle", "A hears busy");
    world.rings = vec![DirectoryNumber::new("1003").unwrap()];
    yes(&world, "A rings");
    yes(&world, "A rings from 1003");
    no(&world, "A rings from 1002", "A rings from 1003");
}

#[test]
fn screens_fold_line_breaks_and_blanks() {
    let mut world = Fixed::default();
    yes(&world, "A shows nothing");
    no(&world, "A shows \"CallBack\"", "no screen");
    no(&world, "A softkeys Exit", "no screen");
    world.screen = Some(Screen {
        title: "CallBack".into(),
        prompt: "Please choose".into(),
        text: "CallBack is activated\r\n on  1002\nPress Cancel".into(),
        keys: vec!["Cancel".into(), "Exit".into()],
    });
    yes(&world, "A shows \"activated on 1002 Press\"");
    yes(&world, "A shows \"Please  choose\"");
    yes(&world, "A softkeys Cancel Exit");
    no(&world, "A softkeys Exit Cancel", "softkeys Cancel Exit");
    no(
        &world,
        "A shows nothing",
        "\"CallBack | Please choose | CallBack is activated on 1002 Press Cancel\"",
    );
    assert!(!look(&world, "A shows \"choose CallBack\"").0);
    no(&world, "A prompts \"Key\"", "no prompt");
    world.prompt = Some("Key Not Active".into());
    yes(&world, "A prompts \"Key Not Active\"");
    no(&world, "A prompts \"Busy\"", "prompt \"Key Not Active\"");
}

#[test]
fn events_count_from_the_mark() {
    let world = Fixed { alerts: vec!["A", "B", "A"], alarms: vec!["CtiLost", "CtiLost"], ..Fixed::default() };
    let since = Mark { alerts: 1, alarms: 2 };
    yes(&world, "A alerted");
    yes(&world, "A alerted 2 times");
    no(&world, "A alerted 1 times", "A alerted 2 times");
    assert_eq!(look_since(&world, "A alerted 1 times", since), (true, "A alerted 1 times".into()));
    yes(&world, "alarm CtiLost");
    assert_eq!(look_since(&world, "alarm CtiLost", since), (false, "no alarm CtiLost".into()));
}

#[test]
fn all_instances_asked_must_agree_and_the_active_be_ready() {
    let mut world = Fixed::default();
    yes(&world, "active 10.0.0.1");
    yes(&world, "backups 10.0.0.2");
    no(&world, "active 10.0.0.2", "10.0.0.1 says: active 10.0.0.1, 10.0.0.2 says: active 10.0.0.1");
    world.instances[1].active = None;
    no(&world, "active 10.0.0.1", "10.0.0.1 says: active 10.0.0.1, 10.0.0.2 says: no active");
    world.instances[1].asked = false;
    yes(&world, "active 10.0.0.1");
    world.instances[0].ready = false;
    no(&world, "active 10.0.0.1", "active 10.0.0.1 (not ready)");
    no(&world, "no active", "active 10.0.0.1 (not ready)");
    world.instances[0].active = None;
    yes(&world, "no active");
    world.instances.clear();
    yes(&world, "no active");
    no(&world, "backups 10.0.0.2", "no instance that could be asked");
}

#[test]
fn registration_database_queue_and_counts() {
    let mut world = Fixed::default();
    yes(&world, "10.0.0.1 registered cti1");
    no(&world, "10.0.0.1 registered nowhere", "10.0.0.1 registered cti1");
    yes(&world, "10.0.0.1 database up");
    no(&world, "10.0.0.1 database down", "10.0.0.1 database up");
    yes(&world, "open devices 2");
    no(&world, "open lines 2", "open lines 1");
    yes(&world, "queue 1002");
    no(&world, "queue 1002 A", "queue 1002: nobody");
    world.queue = ["B", "A"].map(|name| DeviceName::new(name).unwrap()).to_vec();
    no(&world, "queue 1002 A B", "queue 1002: B A");
    yes(&world, "pending 2");
    world.instances.clear();
    yes(&world, "10.0.0.1 registered nowhere");
    no(&world, "10.0.0.1 database down", "10.0.0.1 not running");
}
