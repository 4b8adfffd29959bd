//! `explain`: why a phone did or did not ring.

use std::path::Path;

use ringback::Story;
use ringback::model::RequestId;

use crate::demo::Demo;

const USAGE: &str = "explain REQUEST [--scn [FILE]] (a request is named as in `requests`, for example 1-1); \
                     `explain` alone lists what can be explained";

/// What to answer to the words after `explain`.
pub(crate) async fn answer(demo: &Demo, words: &str) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let (request, file) = match words.as_slice() {
        [] => return list(&demo.stories().await),
        [request] => (request, None),
        [request, "--scn"] => (request, Some(None)),
        [request, "--scn", file] => (request, Some(Some(Path::new(*file)))),
        _ => return USAGE.to_owned(),
    };
    let Ok(request) = request.parse::<RequestId>() else {
        return format!("{request:?} names no request: {USAGE}");
    };
    let Some(story) = demo.story(request).await else {
        return format!("no story of request {request} is known: `explain` lists those that are");
    };
    let Some(file) = file else { return story.to_string() };
    match (demo.journal().scenario(&story), file) {
        (Err(error), _) => error.to_string(),
        (Ok(scenario), None) => scenario.trim_end().to_owned(),
        (Ok(scenario), Some(file)) => match std::fs::write(file, scenario) {
            Ok(()) => {
                format!("written to {0}; `cargo run --example scenario -- {0}` replays it", file.display())
            }
            Err(error) => format!("{}: cannot be written: {error}; nothing was changed", file.display()),
        },
    }
}

fn list(stories: &[Story]) -> String {
    if stories.is_empty() {
        return "there was no request yet".to_owned();
    }
    let line = |story: &Story| {
        let text = story.to_string();
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().trim_start_matches("request ");
        format!("{first}; {}", lines.last().unwrap_or_default())
    };
    stories.iter().map(line).collect::<Vec<_>>().join("\n")
}
