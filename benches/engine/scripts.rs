//! What happens to a number of lines. Between two things that B does, so much happens elsewhere that nothing of the line is
//! left in the processor's caches; what follows from an event (it is durable, it was played) comes soon, after a few
//! events of other lines.

use std::collections::BTreeMap;
use std::mem::take;
use std::time::Duration;

use ringback_callback::{Input, Occupancy};
use ringback_model::Millis;
use rustix::time::{ClockId, clock_gettime};

use crate::world::{World, called, caller, cancel, exit, line, press, readings, resolution, stranger};

/// Events that are made durable together.
const GROUP: usize = 32;

/// How long the events of each kind took, and how many there were.
#[derive(Debug, Default)]
pub(crate) struct Laps(pub(crate) BTreeMap<&'static str, Vec<f64>>);

impl Laps {
    fn lap<T>(&mut self, kind: &'static str, events: usize, work: impl FnOnce() -> T) {
        let took = time(work);
        if events > 0 {
            self.0.entry(kind).or_default().push(took.as_nanos() as f64 / events as f64);
        }
    }
}

/// The processor's time that something takes; what other programs do meanwhile does not count.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    let begin = now();
    work();
    now().saturating_sub(begin)
}

/// The events of a use of each of these lines, made beforehand: what it costs to make an event is the codec's matter.
#[derive(Debug)]
pub(crate) struct Uses {
    on_hook: Vec<Input>,
    off_hook: Vec<Input>,
}

impl Uses {
    pub(crate) fn new(numbers: &[usize]) -> Self {
        let all = |occupancy| numbers.iter().map(|number| line(called(*number), occupancy)).collect();
        Self { on_hook: all(Occupancy::Idle), off_hook: all(Occupancy::InUse) }
    }

    /// Six events a line. B goes on hook; the turn is durable, and the caller is alerted; the alert was played; that is
    /// durable. Later B goes off hook again; the withdrawal is durable. At the end the time of a turn passes, so that
    /// the timers of the withdrawn turns are paid for, too. Gives back the number of events.
    pub(crate) fn run(self, world: &mut World) -> usize {
        let mut events = self.on_hook.len() + self.off_hook.len();
        for group in groups(self.on_hook) {
            group.for_each(|input| world.give(input));
            events += world.saved() + world.alerted() + world.saved();
        }
        for group in groups(self.off_hook) {
            group.for_each(|input| world.give(input));
            events += world.saved();
        }
        pass_a_turn(world);
        events
    }

    /// The same, each kind by itself, and each as if nothing had happened to its line for a long time.
    pub(crate) fn run_timed(self, world: &mut World, laps: &mut Laps) {
        let count = self.on_hook.len();
        let give =
            |world: &mut World, inputs: Vec<Input>| inputs.into_iter().for_each(|input| world.give(input));
        laps.lap("B on hook: the turn is given and written", count, || give(world, self.on_hook));
        laps.lap("the turn is durable: alert and screen", count, || world.saved());
        laps.lap("the alert was played: written", count, || world.alerted());
        laps.lap("durable, nothing follows", count, || world.saved());
        laps.lap("B off hook: the turn is withdrawn, written, screen", count, || give(world, self.off_hook));
        world.saved();
        laps.lap("the timer of a turn that is gone", count, || pass_a_turn(world));
    }
}

/// What the store makes durable at once, and what happens in the meantime to other lines.
fn groups(inputs: Vec<Input>) -> impl Iterator<Item = impl Iterator<Item = Input>> {
    let mut inputs = inputs.into_iter();
    std::iter::from_fn(move || {
        let group: Vec<Input> = inputs.by_ref().take(GROUP).collect();
        (!group.is_empty()).then(|| group.into_iter())
    })
}

fn pass_a_turn(world: &mut World) {
    world.now = world.now + Millis::from_secs(21);
    world.give(Input::Tick);
}

/// What else happens to these lines and their callers; each kind by itself as well.
pub(crate) fn others(world: &mut World, numbers: &[usize], laps: &mut Laps) {
    let count = numbers.len();
    let all = |make: &dyn Fn(usize) -> Input| numbers.iter().map(|number| make(*number)).collect::<Vec<_>>();
    let give = |world: &mut World, inputs: Vec<Input>| inputs.into_iter().for_each(|input| world.give(input));

    let inputs = all(&|number| line(stranger(number), Occupancy::InUse));
    laps.lap("a line for which nobody waits", count, || give(world, inputs));
    let inputs = all(&|number| line(called(number), Occupancy::InUse));
    laps.lap("a line that says what it said before", count, || give(world, inputs));

    // Nobody does anything with the turn.
    give(world, all(&|number| line(called(number), Occupancy::Idle)));
    world.saved();
    world.alerted();
    world.saved();
    laps.lap("a turn runs out: written", count, || pass_a_turn(world));
    world.saved();

    let cancels = numbers.iter().map(|number| {
        let request = world.engine.request_of(&caller(*number).device).unwrap().id;
        cancel(*number, request)
    });
    let inputs = cancels.collect();
    laps.lap("Cancel: the request ends", count, || give(world, inputs));
    laps.lap("its removal is durable: the screen goes", count, || world.saved());

    let inputs = all(&press);
    laps.lap("the CallBack key", count, || give(world, inputs));
    let tickets = take(&mut world.answers.tickets).into_iter().zip(numbers);
    let answer = |(ticket, number): (_, &usize)| Input::Resolved { ticket, result: Ok(resolution(*number)) };
    let inputs = tickets.map(answer).collect();
    laps.lap("the directory's answer: accepted, opened, written", count, || give(world, inputs));
    give(world, numbers.iter().flat_map(|number| readings(*number)).collect());
    laps.lap("the acceptance is durable: Activated", count, || world.saved());
    let inputs = all(&exit);
    laps.lap("Exit: the screen goes", count, || give(world, inputs));
    world.saved();
    pass_a_turn(world);
    assert_eq!(world.engine.pending(), world.pending, "as before");
}
