//! What happens outside, told to the engine.

use ringback_callback::{Input, Occupancy, Unresolved};
use ringback_cti::message::Activity;
use ringback_cti::{CallTable, ProviderEvent};
use ringback_db::{Change, DirectoryError, FeedError, Table};
use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, Epoch, LineId, Partition};
use ringback_serviceability::trace::target;

use super::Service;
use super::jobs::Done;
use crate::phones::Profile;
use crate::translate;
use crate::writer::{Transaction, Written};

impl Service {
    /// Notes what an event says of the link; what it says of phones is given back.
    pub(super) fn note_link(&mut self, event: ProviderEvent) -> Option<ProviderEvent> {
        match event {
            ProviderEvent::LinkUp { manager, failed_over } => {
                self.surroundings.link_up(&manager, failed_over);
                if let Some(term) = self.office.term() {
                    self.stories.link_up(term.clock.now());
                }
                self.redundancy(ringback_election::Input::Ready(true));
                None
            }
            ProviderEvent::LinkLost { manager, reason } => {
                self.surroundings.link_lost(&manager, &reason);
                self.redundancy(ringback_election::Input::Ready(false));
                Some(ProviderEvent::LinkLost { manager, reason })
            }
            ProviderEvent::LinkFailed { manager, reason } => {
                self.surroundings.link_failed(&manager, &reason);
                None
            }
            event => Some(event),
        }
    }

    /// An event of a phone.
    pub(super) fn engine_event(&mut self, event: ProviderEvent) {
        if let ProviderEvent::Answer { tag, result } = event {
            return self.answered(tag, result);
        }
        let Some(term) = self.office.term() else { return };
        if term.draining {
            // The next active reads everything anew.
            term.held_back.push(event.clone());
            // But a turn that is being saved must not be alerted to a caller who has become busy meanwhile (R16).
            let busy = matches!(&event, ProviderEvent::Device { status: Some(status), .. }
                if status.activity != Activity::Idle);
            if !busy {
                return;
            }
        }
        let occupancy = match term.calls.apply(&event) {
            Some(at) => term.calls.occupancy(at).map(translate::occupancy),
            None => None,
        };
        match event {
            ProviderEvent::LinkLost { .. } => {
                term.calls = CallTable::default();
                term.opened.link_lost();
                term.doubtful_calls.clear();
                self.tell_engine(Input::LinkLost);
            }
            ProviderEvent::Device { device, status } => {
                match status {
                    Some(_) => term.opened.device_read(&device),
                    None => term.opened.device_is_away(&device),
                }
                self.tell_engine(Input::Device { device, state: translate::device_state(status) });
            }
            ProviderEvent::DeviceUserChanged(device) => self.tell_engine(Input::UserChanged(device)),
            ProviderEvent::LineOpened { at, calls } => {
                term.opened.line_read(&at);
                for info in &calls {
                    if let Some(progress) = translate::call_progress(&at, info) {
                        self.tell_engine(progress);
                    }
                }
                let calls = Some(calls.iter().map(|info| info.call).collect());
                self.tell_line(at, occupancy, calls);
            }
            ProviderEvent::LineRefused { at, reason } => {
                tracing::warn!(target: target::CTI, device = ?at.device, %reason, "a line cannot be opened now");
                // There is nothing to be read of it.
                term.opened.line_read(&at);
            }
            ProviderEvent::Call { at, info } => {
                if let Some(progress) = translate::call_progress(&at, &info) {
                    self.tell_engine(progress);
                }
                self.tell_line(at, occupancy, None);
            }
            ProviderEvent::FeatureInvoked(invocation) => {
                let during = translate::pressed_during(&invocation);
                self.tell_engine(Input::CallBackKey {
                    invocation: invocation.invocation.0,
                    from: invocation.from,
                    call: invocation.call,
                    called: invocation.called,
                    during,
                });
            }
            ProviderEvent::DeviceData { device, content } => match self.renderer.pressed(&content) {
                Ok(press) => {
                    self.tell_engine(Input::ScreenKey { device, key: press.key, about: press.about });
                }
                Err(error) => {
                    tracing::warn!(target: target::SCREEN, ?device, %error, "data from a phone ignored");
                }
            },
            _ => {}
        }
    }

    fn tell_line(&mut self, at: Appearance, occupancy: Option<Occupancy>, calls: Option<Vec<CallId>>) {
        if let Some(occupancy) = occupancy {
            self.tell_engine(Input::Line { at, occupancy, calls });
        }
    }

    /// A job has come to its end.
    pub(super) fn job_done(&mut self, done: Done) {
        match done {
            Done::Registry(number, result) => {
                self.redundancy(ringback_election::Input::Answered { number, result });
                self.watch_registry();
            }
            Done::RegistryChanged(seen) => self.registry_changed(seen),
            Done::Beat => self.beat(),
            Done::Parameters(result) => self.parameters_read(result),
            Done::Settings(result) => self.settings_read(result),
            Done::DirectoryProbed(result) => {
                self.directory_answered(result.as_ref().err());
                if result.is_ok() {
                    self.read_what_is_missing();
                }
            }
            Done::StoreProbed(Ok(now)) => {
                self.surroundings.learn_time(now);
                // A full disk can still be read.
                if !self.office.is_write_failing() {
                    self.surroundings.store_is_up();
                }
            }
            Done::StoreProbed(Err(error)) => self.surroundings.store_is_down(&error),
            Done::EpochHeld(epoch, held) => self.epoch_held(epoch, held),
            Done::Left => self.forget(),
            Done::News(since, news) => self.news(since, news),
            Done::Entered(epoch, copy, result) => self.entered(epoch, copy, result),
            Done::Repaired(epoch, copy, result) => self.repaired(epoch, copy, result),
            Done::Written(epoch, _)
            | Done::Resolved { epoch, .. }
            | Done::Located(epoch, ..)
            | Done::Phone(epoch, ..)
            | Done::Undrawn(epoch, _)
                if self.office.term().is_none_or(|term| term.epoch != epoch) => {}
            Done::Written(_, result) => self.written(result),
            Done::Undrawn(_, alert) => self.tell_engine(Input::Alerted { alert, delivered: false }),
            Done::Resolved { ticket, device, result, .. } => {
                self.directory_answered(result.as_ref().err());
                if let Some(term) = self.office.term() {
                    term.resolving -= 1;
                }
                let result = match result {
                    Ok((resolved, phone)) => {
                        if let Some(phone) = phone {
                            // It saves a question when the first screen is shown.
                            let profile = Profile { locale: phone.locale, offset: phone.utc_offset };
                            self.profile_read(&device, profile, true);
                        }
                        resolved.ok_or(Unresolved::NotFound)
                    }
                    Err(_) => Err(Unresolved::Unavailable),
                };
                self.tell_engine(Input::Resolved { ticket, result });
            }
            Done::Located(epoch, lines, result) => self.located(epoch, lines, result),
            Done::Phone(_, device, result) => {
                self.directory_answered(result.as_ref().err());
                let lasting = result.is_ok();
                let profile = result
                    .ok()
                    .flatten()
                    .map(|phone| Profile { locale: phone.locale, offset: phone.utc_offset });
                self.profile_read(&device, profile.unwrap_or_default(), lasting);
            }
        }
    }

    /// The phones of called lines.
    fn located(
        &mut self,
        epoch: Epoch,
        lines: Vec<LineId>,
        result: Result<Vec<Vec<DeviceName>>, DirectoryError>,
    ) {
        self.directory_answered(result.as_ref().err());
        let Some(term) = self.office.term() else { return };
        term.locator.ended();
        match result {
            Ok(found) => {
                for (line, devices) in lines.into_iter().zip(found) {
                    // The office may be over after any of them.
                    let Some(term) = self.office.term().filter(|term| term.epoch == epoch) else { return };
                    term.locator.answered(&line);
                    self.tell_engine(Input::Located { line, devices });
                }
            }
            Err(_) => {
                for line in lines {
                    if term.engine.is_called(&line) {
                        term.locator.failed(line);
                    } else {
                        term.locator.answered(&line);
                    }
                }
            }
        }
    }

    fn written(&mut self, result: Result<Transaction, ringback_db::StoreError>) {
        let result = result.map(|written| self.note_written(written));
        let Some(term) = self.office.term() else { return };
        match term.writer.finished(result) {
            Written::Done(saves) => {
                self.surroundings.store_is_up();
                for (save, request) in saves {
                    tracing::debug!(target: target::DATABASE, %request, save = save.0, "durable");
                    self.tell_engine(Input::Saved(save));
                }
            }
            Written::NotNow(saves, error) => {
                self.surroundings.store_is_down(&error);
                for (save, request) in saves {
                    tracing::debug!(target: target::DATABASE, %request, save = save.0, "not saved yet");
                    self.tell_engine(Input::SaveFailed(save));
                }
            }
            Written::Fenced { current } => {
                self.redundancy(ringback_election::Input::EpochSeen(current));
            }
        }
    }

    /// The feed has something to say.
    pub(super) fn change(&mut self, change: Result<Change, FeedError>) {
        match change {
            Ok(Change::Resync) => {
                self.surroundings.feed_is_up();
                self.read_parameters();
                self.read_settings();
                let Some(term) = self.office.term() else { return };
                term.phones.forget_all();
                let mut lines: Vec<LineId> = term.engine.called_lines().cloned().collect();
                lines.sort_unstable();
                for line in lines {
                    term.locator.want(line);
                }
            }
            Ok(Change::Row { table: Table::Parameter, .. }) => self.read_parameters(),
            Ok(Change::Row { table: Table::Trace | Table::Alarm, .. }) => self.read_settings(),
            Ok(Change::Row { table: Table::Phone, key, .. }) => {
                if let (Ok(device), Some(term)) = (DeviceName::new(&key), self.office.term()) {
                    term.phones.forget(&device);
                }
            }
            Ok(Change::Row { table: Table::Line, key, .. }) => {
                if let Some(line) = self.called_line(&key)
                    && let Some(term) = self.office.term()
                {
                    term.locator.want(line);
                }
            }
            Ok(_) => {}
            Err(error @ FeedError::NotInForce { .. }) => self.surroundings.parameter_invalid(&error),
            Err(error) => {
                self.surroundings.feed_is_down(&error);
                let probe = self.lookup.clone();
                self.jobs.push(Box::pin(async move { Done::DirectoryProbed(probe.probe().await) }));
            }
        }
    }

    /// The line with this key, if requests are for it. Both halves of the key may hold a slash.
    fn called_line(&mut self, key: &str) -> Option<LineId> {
        let term = self.office.term()?;
        key.match_indices('/').find_map(|(slash, _)| {
            let partition = Partition::new(&key[..slash]).ok()?;
            let line = LineId::new(partition, DirectoryNumber::new(&key[slash + 1..]).ok()?);
            term.engine.is_called(&line).then_some(line)
        })
    }

    pub(super) fn directory_answered(&mut self, error: Option<&DirectoryError>) {
        match error {
            None => self.surroundings.directory_is_up(),
            Some(error) => self.surroundings.directory_is_down(error),
        }
    }
}
