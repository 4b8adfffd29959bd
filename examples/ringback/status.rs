//! What every instance is and whom it reaches.

use ringback::Status;

/// For a person; with the name of its group before each, if there are several.
pub(crate) fn text(statuses: &[Status], are_several: bool) -> String {
    if statuses.is_empty() {
        return "no instance of the service runs here".to_owned();
    }
    let are_several = are_several || statuses.iter().any(|status| status.group != statuses[0].group);
    let line = |status: &Status| match are_several {
        true => format!("{}: {}", status.group, one(status)),
        false => one(status),
    };
    statuses.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// For a program: one array.
pub(crate) fn json(statuses: &[Status]) -> String {
    // Nothing in a status can fail to be written.
    serde_json::to_string_pretty(statuses).unwrap_or_else(|error| error.to_string())
}

fn one(status: &Status) -> String {
    let up = |up: bool| if up { "up" } else { "down" };
    let place = match status.rank.position {
        Some(0) | None => String::new(),
        Some(place) => format!(" {place}"),
    };
    let active = match status.rank.active {
        Some(active) if active == status.address => String::new(),
        Some(active) => format!(" of {active}"),
        None => ", nobody is active".to_owned(),
    };
    format!(
        "{}: {:?}{place}{active}, epoch {}{}, directory {}, store {}, CTI {}, {} devices and {} lines open, {} pending",
        status.address,
        status.role,
        status.epoch,
        if status.ready { ", ready" } else { "" },
        up(status.directory_up),
        up(status.store_up),
        status
            .registered_at
            .as_ref()
            .map_or("not registered".to_owned(), |name| format!("registered at {name}")),
        status.open_devices,
        status.open_lines,
        status.pending,
    )
}
