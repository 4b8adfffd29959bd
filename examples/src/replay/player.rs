use ringback_cti::ProviderEvent;
use ringback_cti_asterisk::ami::Message;
use ringback_cti_asterisk::map::Mapper;
use ringback_model::Timestamp;

/// A moment of the recording with what the server said.
pub(super) type Moment<'a> = (Timestamp, &'a Message);

/// Who is told what the mapper makes of a recording.
pub(super) trait Audience {
    /// The mapper.
    fn mapper(&mut self) -> &mut Mapper;
    /// What it told.
    fn told(&mut self, now: Timestamp, events: Vec<ProviderEvent>);
}

/// Plays messages, waking the mapper in between whenever it wants.
pub(super) fn play(stream: &[Moment<'_>], audience: &mut impl Audience) {
    for (now, message) in stream {
        // As the client does: what has come in is heard before what is due in the same moment.
        wait(Timestamp(now.0.saturating_sub(1)), audience);
        let mut events = Vec::new();
        audience.mapper().handle(*now, message, &mut events);
        audience.told(*now, events);
    }
}

/// Lets time pass until `now`.
pub(super) fn wait(now: Timestamp, audience: &mut impl Audience) {
    while let Some(due) = audience.mapper().next_wakeup().filter(|due| *due <= now) {
        let mut events = Vec::new();
        audience.mapper().poll(due, &mut events);
        audience.told(due, events);
    }
}

/// Lets all the time pass that the mapper still wants.
pub(super) fn finish(audience: &mut impl Audience) {
    wait(Timestamp(u64::MAX), audience);
}
