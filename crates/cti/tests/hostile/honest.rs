//! A CTIManager as it should be, with every phone registered.

use std::collections::BTreeSet;

use ringback_cti::ProviderEvent;
use ringback_cti::codec::Message;
use ringback_cti::message::{Answer, CtiError, Feature, Request};
use ringback_model::{Appearance, DeviceName, Millis};

use crate::act::{Act, Welcome};
use crate::bench::Bench;
use crate::reference::Place;
use crate::wire;

/// More turns than any honest opening needs.
const TURNS: usize = 200;

#[derive(Default)]
pub(crate) struct Honest {
    devices: BTreeSet<DeviceName>,
    lines: BTreeSet<Appearance>,
    features: Vec<Feature>,
    epoch: u64,
}

impl Honest {
    /// Serves until nothing waits for an answer, then looks at what is open.
    pub(crate) fn serve(mut self, bench: &mut Bench) {
        for _ in 0..TURNS {
            match &bench.reference.place {
                Place::Waiting { .. } => bench.act(&Act::Next),
                Place::Connecting { .. } => {
                    bench.act(&Act::Connected);
                    self = Self { epoch: bench.reference.told_epoch, ..Self::default() };
                }
                Place::Opening { .. } => bench.act(&Act::Opened(Welcome::Well(30_000))),
                Place::Open(_) => {
                    bench.act(&Act::Take(255));
                    let Some((number, waiting)) = bench.reference.waiting.first_key_value() else { break };
                    let (number, request) = (*number, waiting.request.clone());
                    let answer = self.answer(&request);
                    bench.send(1, number, &Message::Answer(answer));
                }
            }
        }
        assert!(bench.reference.waiting.is_empty(), "it does not come to rest: {:?}", bench.reference);
        self.check(bench);
        // And it stays so.
        bench.pass(Millis(29_000));
        assert!(bench.reference.waiting.is_empty(), "it does not stay at rest: {:?}", bench.reference);
    }

    fn answer(&mut self, request: &Request) -> Result<Answer, CtiError> {
        match request {
            Request::Assume(epoch) => {
                self.epoch = epoch.0;
                if epoch.0 == 0 {
                    self.devices.clear();
                    self.lines.clear();
                }
            }
            Request::FeatureRegister(feature) => self.features.push(*feature),
            Request::DeviceOpen(device) => {
                assert_ne!(self.epoch, 0, "{request:?} of an instance that stands by");
                assert!(self.devices.insert(device.clone()), "{request:?}: it is open");
            }
            Request::DeviceClose(device) => {
                assert!(self.devices.remove(device), "{request:?}: it is not open");
                self.lines.retain(|at| at.device != *device);
            }
            Request::LineOpen(at) => {
                assert!(self.devices.contains(&at.device), "{request:?}: its device is not open");
                assert!(self.lines.insert(at.clone()), "{request:?}: it is open");
            }
            Request::LineClose(at) => assert!(self.lines.remove(at), "{request:?}: it is not open"),
            _ => {}
        }
        Ok(wire::right(request))
    }

    fn check(&self, bench: &Bench) {
        let acts = bench.reference.epoch != 0;
        let devices: BTreeSet<_> = bench.belief.wanted_devices().into_iter().filter(|_| acts).collect();
        let lines: BTreeSet<_> = bench.belief.wanted_lines().into_iter().filter(|_| acts).collect();
        assert_eq!(
            (&self.devices, &self.lines),
            (&devices, &lines),
            "what is wanted is open, and nothing else"
        );
        assert_eq!(self.features, [Feature::CallBack]);
        assert_eq!(self.epoch, bench.reference.epoch);
        for device in devices {
            let idle = ProviderEvent::Device { device, status: Some(wire::IDLE) };
            assert!(bench.reports.contains(&idle), "{idle:?} is not reported");
        }
        for at in lines {
            let opened = ProviderEvent::LineOpened { at, calls: Vec::new() };
            assert!(bench.reports.contains(&opened), "{opened:?} is not reported");
        }
    }
}
