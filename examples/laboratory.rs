//! An Asterisk with the files of `examples/asterisk` and four SIP phones, to try Call Back on a real PBX without having
//! one: it is fetched from a Debian mirror, nothing is installed, and it listens on an address of 127.0.0.0/8 only. Each
//! line of the input tells a phone what to do.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ringback_pbx_lab::{
    Answering, Asterisk, CallOutcome, LabError, Phone, PhoneCall, PhoneEvent, Release, Server, Site,
};
use tokio::sync::mpsc;

const DIALPLAN: &str = include_str!("asterisk/extensions.conf");
const MANAGER: &str = include_str!("asterisk/manager.conf");
const PJSIP: &str = include_str!("asterisk/pjsip.conf");
const CONFIG: &str = include_str!("asterisk/ringback.toml");

const PHONES: [&str; 4] = ["1001", "1002", "1003", "1004"];
const HELP: &str = "\
1003 calls 1002      any number, feature codes too: 1001 calls *661002
1002 answers         the call that rings
1002 hangs up        its call, or refuses the one that rings
1001 texts 1         sends a text to ringback
exit                 or the end of the input";

/// How long a call may take to come to something.
const LONG: Duration = Duration::from_secs(3600);

/// An Asterisk and four phones, for trying Call Back. The configuration for `ringback` is written to a folder.
#[derive(Parser)]
struct Arguments {
    /// The folder for the configuration and what ringback keeps. It is made if it does not exist.
    #[arg(long, default_value = "ringback-laboratory", value_name = "FOLDER")]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("laboratory: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    println!("Fetching Asterisk, if that was not done before ...");
    let asterisk = tokio::task::block_in_place(|| Asterisk::fetch(Release::V22))?;
    let server = start(&asterisk).await?;
    let file = configure(&arguments.folder, &server)?;
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut phones = BTreeMap::new();
    for name in PHONES {
        let phone = Phone::register(&server, name).await?;
        let (order, orders) = mpsc::unbounded_channel();
        tokio::spawn(serve(phone, orders, tell.clone()));
        phones.insert(name, order);
    }
    println!("{}, manager interface at {}, phones {}", server.version(), server.manager(), PHONES.join(", "));
    println!("In another window: cargo run --release --example ringback -- --config {}", file.display());
    println!("Then here:\n{HELP}");
    let mut lines = lines();
    loop {
        tokio::select! {
            line = lines.recv() => match line.as_deref().map(str::trim) {
                None | Some("exit") => return Ok(()),
                Some("") => {}
                Some(line) => {
                    let (name, order) = line.split_once(' ').unwrap_or((line, ""));
                    match phones.get(name) {
                        // The phones live as long as this.
                        Some(phone) => drop(phone.send(order.trim().to_owned())),
                        None => println!("{HELP}"),
                    }
                }
            },
            Some(news) = told.recv() => println!("{news}"),
            // The server ends with this function.
            stopped = tokio::signal::ctrl_c() => return Ok(stopped?),
        }
    }
}

/// A server with the files of the example as they are, but for its address and the phones' passwords.
async fn start(asterisk: &Asterisk) -> Result<Server, LabError> {
    let mut server = Server::start(asterisk, &Site::with_phones(PHONES)).await?;
    let address = server.address().to_string();
    server.write("extensions.conf", DIALPLAN)?;
    server
        .write("manager.conf", &MANAGER.replace("bindaddr = 127.0.0.1", &format!("bindaddr = {address}")))?;
    server.write("pjsip.conf", &PJSIP.replace("0.0.0.0", &address).replace("change-me-", "pw"))?;
    server.restart().await?;
    Ok(server)
}

/// Its phones are in no call of before: lines that look free are free from the start.
fn configure(folder: &Path, server: &Server) -> std::io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join("ringback.toml");
    let text = CONFIG.replace("127.0.0.1:5038", &server.manager()).replace("proof = 120000", "proof = 0");
    fs::write(&file, text)?;
    Ok(file)
}

fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// One phone: does what it is told, and tells what it sees.
async fn serve(
    mut phone: Phone,
    mut orders: mpsc::UnboundedReceiver<String>,
    tell: mpsc::UnboundedSender<String>,
) {
    let name = phone.name().to_owned();
    // Whoever listened is gone.
    let say = |what: String| drop(tell.send(format!("    {name} {what}")));
    let mut call: Option<PhoneCall> = None;
    let mut outcome = CallOutcome::Calling;
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return };
                if let Err(error) = obey(&phone, &mut call, &order).await {
                    say(format!("cannot: {error}"));
                }
                if order.starts_with("calls ") {
                    outcome = CallOutcome::Calling;
                }
            }
            Some((_, event)) = phone.next_event(LONG) => say(seen(&event)),
            Some(now) = next_outcome(&mut call, outcome) => {
                outcome = now;
                say(heard(now));
                if matches!(now, CallOutcome::Failed(_) | CallOutcome::Ended) {
                    call = None;
                    phone.set_answering(Answering::Ring);
                }
            }
        }
    }
}

async fn obey(phone: &Phone, call: &mut Option<PhoneCall>, order: &str) -> Result<(), LabError> {
    match order.split_once(' ') {
        Some(("calls", number)) => {
            // While it calls, it is busy for others.
            phone.set_answering(Answering::Busy);
            *call = Some(phone.call(number)?);
            Ok(())
        }
        Some(("texts", text)) => phone.text("ringback", text).await,
        Some(("hangs", _)) => match call.as_ref() {
            Some(own) => own.hang_up().await,
            None => phone.hang_up().await,
        },
        None if order == "answers" => phone.answer(),
        _ => {
            println!("{HELP}");
            Ok(())
        }
    }
}

/// What comes of its call next.
async fn next_outcome(call: &mut Option<PhoneCall>, last: CallOutcome) -> Option<CallOutcome> {
    match call {
        Some(call) => call.wait_for(LONG, |outcome| outcome != last).await.ok(),
        None => std::future::pending().await,
    }
}

fn seen(event: &PhoneEvent) -> String {
    match event {
        PhoneEvent::Rings { name, number } => format!("rings, and shows {name:?} {number}"),
        PhoneEvent::StoppedRinging => "stops ringing".to_owned(),
        PhoneEvent::Answered => "is connected".to_owned(),
        PhoneEvent::HungUp => "is left by the far end".to_owned(),
        PhoneEvent::Text(text) => format!("shows the text {text:?}"),
        other => format!("sees {other:?}"),
    }
}

fn heard(outcome: CallOutcome) -> String {
    match outcome {
        CallOutcome::Calling => "calls".to_owned(),
        CallOutcome::Ringing => "hears ringback".to_owned(),
        CallOutcome::Answered => "is answered".to_owned(),
        CallOutcome::Failed(486) => "hears busy".to_owned(),
        CallOutcome::Failed(status) => format!("hears that the call failed ({status})"),
        CallOutcome::Ended => "is on hook".to_owned(),
    }
}
