//! The whole way over TCP on 127.0.0.1, with 10 000 requests pending: the CTIManager writes "B hangs up", and has read
//! screen and alert for A. On the way are the kernel, the codec, the session, the engine, one save of the turn, the
//! screen's XML, and the same back. The service and the CTIManager are threads of their own.
//!
//! Beside it, in turn, the least that any service would do: an echo of messages as long as these between two such threads,
//! and the same with one durable commit of a row of that size before the answer.
//!
//! `cargo bench -p ringback-benches --bench loopback -- [ROUNDS]`
#![expect(clippy::disallowed_methods, reason = "it measures")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program that measures")]

mod cti_manager;
mod echo;
mod service;

use std::path::Path;
use std::time::Duration;

use cti_manager::CtiManager;
use echo::Echo;
use service::Store;

/// So many requests wait, each for a line of its own.
pub(crate) const PENDING: usize = 10_000;

/// So many of their lines are used in turn, so that the languages of their callers are known, as after the activation.
const USED: usize = 200;

struct Figures(Vec<Duration>);

impl Figures {
    fn at(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted[(sorted.len() - 1) * percent / 100]
    }

    fn print(&self, what: &str) {
        let microseconds = |percent| self.at(percent).as_secs_f64() * 1e6;
        println!("  {what:34} p50 {:>8.1} us  p99 {:>8.1} us", microseconds(50), microseconds(99));
    }
}

/// One way of keeping requests: the service against the echo.
async fn compare(folder: &Path, rounds: usize, durable: bool) {
    let mut manager = CtiManager::listen().await;
    let store = if durable { Store::Sqlite(folder.join("requests.db")) } else { Store::Memory };
    service::start(manager.address(), store);
    manager.serve_start().await;
    let row = durable.then(|| folder.join("echo.db"));
    let mut echo = Echo::start(row).await;

    let (mut whole, mut bare) = (Figures(Vec::new()), Figures(Vec::new()));
    // What a round leaves to be saved must not be in the way of the next.
    let pause = Duration::from_millis(if durable { 15 } else { 1 });
    for round in 0..USED + rounds {
        tokio::time::sleep(pause).await;
        let echoed = echo.round(cti_manager::EVENT, manager.notification()).await;
        tokio::time::sleep(pause).await;
        let took = manager.hang_up(round % USED).await;
        manager.take_up(round % USED).await;
        if round >= USED {
            whole.0.push(took);
            bare.0.push(echoed);
        }
    }
    let (name, beside) =
        if durable { ("SQLite", "echo and one durable commit") } else { ("in memory", "echo") };
    println!("{name}: {rounds} rounds, {PENDING} pending, {} bytes back", manager.notification());
    whole.print("hang-up to notification");
    bare.print(beside);
    let ratio = |percent| whole.at(percent).as_secs_f64() / bare.at(percent).as_secs_f64();
    println!("  ratio of p50 {:.2}, of p99 {:.2}", ratio(50), ratio(99));
}

fn main() {
    let rounds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(2000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        compare(folder.path(), rounds, false).await;
        compare(folder.path(), rounds, true).await;
    });
    // The services run until the process ends.
    std::process::exit(0);
}
