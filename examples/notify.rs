//! Measures change notification: one process runs the service, another changes the *Call Back Recall Timer* in the
//! database that both use.
//!
//! `notify --store sqlite|postgres|postgres://... --rounds N` prints a row a round and at the end `p50 X ms p99 Y ms`, twice:
//! from the moment the change is begun to be written, so that its commit to the disk is counted, too, and from the moment it
//! is known to be committed, each to the moment the service has it in force: in that step it is given to the engine, and the
//! service's process takes the time, by the machine's monotonic clock. Before that the length of turns at the phones shows
//! that what is said to be in force is. The exit status is 1 if a change was lost.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Child, ExitCode, Stdio};
use std::time::Duration;

use clap::{Parser, Subcommand};
use ringback::db::ServiceParameters;
use ringback::model::{DeviceName, Group, Millis};
use ringback_examples::instance::{self, Terms};
use ringback_examples::percentile::{ms, percentile};
use ringback_examples::stage::{Failure, PATIENCE, Stage, Store, phone};
use ringback_sim::Action;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    /// `sqlite`: one file; `postgres`: a server that is started for this; `postgres://...`: an empty database.
    #[arg(long, default_value = "sqlite")]
    store: Store,
    /// How many changes.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rounds: u32,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// One instance of the service: started by the program itself.
    #[command(hide = true)]
    Instance(Terms),
}

/// A change that is not in force after so long is lost.
const LOST: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.role {
        Some(Role::Instance(terms)) => instance::run(terms, Some(Box::new(tell))).await.map(|()| true),
        None => measure(&arguments.store, arguments.rounds).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("notify: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Since the machine was started: the same for all its processes.
fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}

/// In the service's process: what is in force from now on.
fn tell(parameters: &ServiceParameters) {
    println!("{} {}", now().as_nanos(), parameters.callback.recall_timer.0);
}

/// The service's process.
struct Service {
    child: Child,
    told: UnboundedReceiver<(Duration, Millis)>,
}

impl Service {
    fn start(stage: &Stage) -> Result<Self, Failure> {
        let mut command = stage.instance(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("the service's output cannot be read")?;
        let (sender, told) = unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let told = line.split_once(' ').and_then(|(at, value)| {
                    Some((Duration::from_nanos(at.parse().ok()?), Millis(value.parse().ok()?)))
                });
                if told.is_none_or(|told| sender.send(told).is_err()) {
                    return;
                }
            }
        });
        Ok(Self { child, told })
    }

    /// When this recall timer was in force; `None` if that is not so in time.
    async fn in_force(&mut self, timer: Millis) -> Option<Duration> {
        let told = async {
            while let Some((at, value)) = self.told.recv().await {
                if value == timer {
                    return Some(at);
                }
            }
            None
        };
        timeout(LOST, told).await.ok().flatten()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Started here; an error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn set_timer(stage: &Stage, timer: Millis) -> Result<(), Failure> {
    let value = format!("{}ms", timer.0);
    stage.database.admin().set_parameter(&Group::default(), "Call Back Recall Timer", Some(&value)).await?;
    Ok(())
}

async fn measure(store: &Store, rounds: u32) -> Result<bool, Failure> {
    let folder = tempfile::tempdir()?;
    let stage = Stage::set_up(folder.path(), store, None).await?;
    for (name, number) in [("A", "1001"), ("B", "1002"), ("C", "1003")] {
        let (device, line) = phone(name, number)?;
        stage.add_phone(device, line).await?;
    }
    let mut service = Service::start(&stage)?;
    let started = service.in_force(ServiceParameters::default().callback.recall_timer).await;
    started.ok_or("the service did not start")?;
    for timer in [Millis(1000), Millis(2000)] {
        set_timer(&stage, timer).await?;
        service.in_force(timer).await.ok_or("the service does not hear of changes")?;
        let turn = turn(&stage).await?;
        println!("recall timer {timer}: the next turn took {:.0} ms", ms(turn));
        if turn < timer.to_duration() || turn > timer.to_duration() + Duration::from_millis(500) {
            return Err("the next turn was not of the length that is in force".into());
        }
    }

    let (mut whole_times, mut times_after) = (Vec::new(), Vec::new());
    let mut lost = 0;
    for round in 1..=rounds {
        // At all moments of whatever comes again and again in the service.
        sleep(Duration::from_millis(u64::from(round * 7 % 41))).await;
        let timer = Millis(20_000 + u64::from(round));
        let begun = now();
        set_timer(&stage, timer).await?;
        let written = now();
        if let Some(at) = service.in_force(timer).await {
            let (whole, after) = (at.saturating_sub(begun), at.saturating_sub(written));
            println!("round {round}: {:.1} ms, {:.1} ms of it after the commit", ms(whole), ms(after));
            whole_times.push(whole);
            times_after.push(after);
        } else {
            println!("round {round}: lost");
            lost += 1;
        }
    }
    if lost > 0 {
        println!("lost {lost}");
    }
    for (what, times) in [("with the commit", &whole_times), ("after the commit", &times_after)] {
        let of = |percent| percentile(percent, times.iter().copied());
        println!("{what}: p50 {:.1} ms p99 {:.1} ms", of(50), of(99));
    }
    Ok(lost == 0)
}

/// A and C wait for B, who is busy and then free: how long A has the turn.
async fn turn(stage: &Stage) -> Result<Duration, Failure> {
    let call_manager = &stage.call_manager;
    let [(a, _), (b, b_line), (c, _)] = [phone("A", "1001")?, phone("B", "1002")?, phone("C", "1003")?];
    call_manager.act(&b, Action::Lifts)?;
    for device in [&a, &c] {
        let waits = async {
            // At first the service may not be ready: then the key says so, and is pressed again.
            while call_manager.screen(device).is_none() {
                call_manager.act(device, Action::Calls { to: b_line.dn.clone(), on: None })?;
                call_manager.act(device, Action::Presses("CallBack".to_owned()))?;
                sleep(Duration::from_millis(200)).await;
                call_manager.act(device, Action::HangsUp(None))?;
            }
            Ok::<_, Failure>(())
        };
        timeout(PATIENCE, waits).await.map_err(|_| "CallBack was not activated")??;
    }
    let alerts = |device: &DeviceName| call_manager.alerts(device);
    let (of_a, of_c) = (alerts(&a), alerts(&c));
    call_manager.act(&b, Action::Replaces)?;
    stage.until("A's alert", || alerts(&a) > of_a).await?;
    let begun = Instant::now();
    stage.until("C's alert", || alerts(&c) > of_c).await?;
    let turn = begun.elapsed();
    for device in [&a, &c] {
        call_manager.act(device, Action::Presses("Cancel".to_owned()))?;
        stage.until("the screen to go", || call_manager.screen(device).is_none()).await?;
    }
    Ok(turn)
}
