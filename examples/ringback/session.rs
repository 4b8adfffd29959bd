//! One session at the prompt.

use crate::arguments::Arguments;
use crate::demo::{Demo, DemoError};
use crate::display::Display;
use crate::prompt::{self, Prompt};
use crate::{explain, status};

/// Runs until the input ends or somebody leaves.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), DemoError> {
    ringback_model::reveal_personal_data(arguments.reveal_personal_data);
    let (listen, nodes) = (arguments.listen(), arguments.nodes());
    let (folder, group) = (&arguments.data, arguments.group());
    let mut demo = Demo::start(folder, &group, &listen, &nodes, arguments.dictionaries.as_deref()).await?;
    let mut prompt = Prompt::open(&arguments.data);
    let mut display = Display::new(demo.call_manager().clone(), prompt.printer());
    println!("{}", demo.introduction());
    display.show_all();
    loop {
        let line = tokio::select! {
            line = prompt.line() => line,
            () = display.follow() => continue,
        };
        let Some(line) = line else { break };
        prompt.echo(&line);
        let text = line.trim();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match (word, rest.trim()) {
            ("help" | "?", "") => println!("{}", prompt::HELP),
            ("exit" | "quit", "") => break,
            ("phones", "") => display.show_all(),
            ("requests", "") => println!("{}", demo.requests().await),
            ("status", "") => println!("{}", status::text(&demo.statuses(), false)),
            ("status", "--json") => println!("{}", status::json(&demo.statuses())),
            ("explain", rest) => println!("{}", explain::answer(&demo, rest).await),
            _ => {
                let acted = tokio::select! {
                    acted = demo.act(text) => acted,
                    () = display.follow_for_ever() => continue,
                };
                if let Err(error) = acted {
                    println!("{error}");
                }
                display.show_changes();
            }
        }
        prompt.ready();
    }
    demo.stop().await;
    Ok(())
}
