use std::collections::BTreeMap;

use ringback_model::{Millis, Timestamp};
use tokio::time::{Duration, Instant, sleep_until};

use super::faults::Mend;
use super::plan::{Fault, Moment, Plan, Step};
use super::site::Ground;
use super::{Counts, Engine, Options, Plant, Played, Strikes, Violation, generator, server};

/// The site is given so long to come up before anything fails.
const START: Duration = Duration::from_secs(2);

/// Plays the schedule of a seed.
///
/// # Errors
/// There are no resources for a runtime.
pub fn play(seed: u64, options: Options) -> std::io::Result<Played> {
    // No sockets: simulated time only.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let mut plan = generator::plan(seed);
    if options.engine == Engine::Postgres {
        server::weave(seed, &mut plan, options.plant != Some(Plant::SlewedClock));
    }
    Ok(runtime.block_on(run(seed, &plan, options)))
}

async fn run(seed: u64, plan: &Plan, options: Options) -> Played {
    let ground = match Ground::new(seed, plan, options).await {
        Ok(ground) => ground,
        Err(error) => {
            let what = error.to_string();
            let violation = Violation { invariant: "the site can be set up", what, at: Timestamp::default() };
            return Played {
                violation: Some(violation),
                counts: Counts::default(),
                strikes: Strikes::default(),
                story: Vec::new(),
            };
        }
    };
    let observer = ground.observer.clone();
    observer.say(ground.now(), || format!("{plan:?}"));
    let mut driver = Driver { ground, mends: BTreeMap::new(), mended: 0, waiting: Vec::new() };
    driver.play(plan).await;
    let (violation, counts, story) = observer.result();
    let strikes = driver.ground.store.strikes();
    Played { violation, counts, strikes, story }
}

struct Driver {
    ground: Ground,
    /// What is mended when; those of one moment in the order in which they failed.
    mends: BTreeMap<(Instant, u64), Mend>,
    mended: u64,
    /// What fails when something happens.
    waiting: Vec<(Moment, Fault)>,
}

impl Driver {
    async fn play(&mut self, plan: &Plan) {
        for node in &plan.nodes {
            self.ground.start(*node).await;
        }
        self.pass(Instant::now() + START).await;
        for (gap, step) in &plan.steps {
            if *gap > Millis::ZERO {
                self.pass(Instant::now() + gap.to_duration()).await;
            }
            if self.ground.observer.has_failed() {
                return;
            }
            self.step(step).await;
        }
        while let Some(((_, number), mend)) = self.mends.pop_first() {
            let _ = number;
            self.ground.mend(&mend).await;
        }
        self.ground.quiet().await;
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Phone(phone, intent) => {
                self.ground.observer.say(self.ground.now(), || format!("P{phone}: {intent:?}"));
                self.ground.intend(*phone, intent).await;
            }
            Step::Fault(fault) => self.fail(fault).await,
            Step::When(moment, fault) => {
                self.ground.observer.arm(*moment);
                self.waiting.push((*moment, fault.clone()));
            }
        }
    }

    async fn fail(&mut self, fault: &Fault) {
        if let Some((after, mend)) = self.ground.fail(fault).await {
            self.mended += 1;
            self.mends.insert((Instant::now() + after.to_duration(), self.mended), mend);
        }
    }

    /// Lets time pass; what is to be mended meanwhile is mended, what is to fail when something happens fails.
    async fn pass(&mut self, until: Instant) {
        loop {
            let mend = self.mends.first_key_value().map(|((at, _), _)| *at).filter(|at| *at <= until);
            let wakeup = mend.unwrap_or(until);
            tokio::select! {
                biased;
                Some(moment) = self.ground.moments.recv() => {
                    if let Some(place) = self.waiting.iter().position(|(awaited, _)| *awaited == moment) {
                        let (_, fault) = self.waiting.remove(place);
                        self.fail(&fault).await;
                    }
                }
                () = sleep_until(wakeup) => match mend {
                    Some(_) => {
                        if let Some((_, mend)) = self.mends.pop_first() {
                            self.ground.mend(&mend).await;
                        }
                    }
                    None => return,
                },
            }
        }
    }
}
