//! What is heard in a call: the tones of the server, each of one frequency of its own.

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::error::LabError;

/// A tone of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sound {
    /// It waits for a number.
    Dial,
    /// The far end rings.
    Ringback,
    /// The far end is busy.
    Busy,
    /// The call failed.
    Congestion,
}

/// Eight thousand samples a second, 160 a packet.
const RATE: f32 = 8000.0;
const PACKET: usize = 160;
/// A tone of which nothing has come for so long is over.
const LAPSE: Duration = Duration::from_millis(300);
/// The header of a packet that says nothing special.
const HEADER: usize = 12;

impl Sound {
    const ALL: [Self; 4] = [Self::Dial, Self::Ringback, Self::Busy, Self::Congestion];

    /// Whole periods of each fit into a packet, so that none is heard in another.
    fn frequency(self) -> u16 {
        match self {
            Self::Dial => 400,
            Self::Ringback => 800,
            Self::Busy => 1200,
            Self::Congestion => 1600,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Dial => "dial",
            Self::Ringback => "ring",
            Self::Busy => "busy",
            Self::Congestion => "congestion",
        }
    }

    /// A file `indications.conf` with tones that phones of the laboratory can tell apart: continuous, one frequency each.
    #[must_use]
    pub fn indications() -> String {
        let tones = Self::ALL.map(|sound| format!("{} = {}\n", sound.name(), sound.frequency()));
        format!(
            "[general]\ncountry = us\n[us]\ndescription = laboratory\nringcadence = 2000,4000\n{}",
            tones.concat()
        )
    }

    /// What one packet of mu-law holds; `None`: none of the tones.
    fn of(packet: &[u8]) -> Option<Self> {
        let samples: Vec<f32> = packet.iter().copied().map(linear).collect();
        let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
        // Silence, and what is too short to tell.
        if samples.len() < PACKET || energy < 1.0e6 {
            return None;
        }
        let share = |sound: &Self| {
            let power = goertzel(&samples, f32::from(sound.frequency()));
            // A pure tone has all its energy in its own place.
            2.0 * power / (energy * samples.len() as f32)
        };
        Self::ALL.into_iter().find(|sound| share(sound) > 0.5)
    }
}

/// A sample of mu-law as a number.
fn linear(coded: u8) -> f32 {
    let coded = !coded;
    let magnitude = ((i32::from(coded & 0x0f) << 3) + 0x84) << ((coded & 0x70) >> 4);
    let sample = magnitude - 0x84;
    (if coded & 0x80 == 0 { sample } else { -sample }) as f32
}

/// The power of one frequency.
fn goertzel(samples: &[f32], frequency: f32) -> f32 {
    let factor = 2.0 * (std::f32::consts::TAU * frequency / RATE).cos();
    let (last, before) =
        samples.iter().fold((0.0, 0.0), |(last, before), sample| (sample + factor * last - before, last));
    last * last + before * before - factor * last * before
}

/// An ear at a port: it hears what the server plays there.
pub(super) struct Ear {
    port: u16,
    sound: watch::Receiver<Option<Sound>>,
    _open: DropGuard,
}

impl Ear {
    /// Listens at a port of this address. `changed` is told of every change.
    pub(super) fn open(address: IpAddr, changed: watch::Sender<u64>) -> Result<Self, LabError> {
        let failed = |source| LabError::Command { what: "a socket for sound".to_owned(), source };
        let socket = std::net::UdpSocket::bind((address, 0)).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let socket = UdpSocket::from_std(socket).map_err(failed)?;
        let port = socket.local_addr().map_err(failed)?.port();
        let (heard, sound) = watch::channel(None);
        let open = CancellationToken::new();
        let closed = open.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = listen(socket, heard, changed) => {}
                () = closed.cancelled() => {}
            }
        });
        Ok(Self { port, sound, _open: open.drop_guard() })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn sound(&self) -> Option<Sound> {
        *self.sound.borrow()
    }
}

async fn listen(socket: UdpSocket, heard: watch::Sender<Option<Sound>>, changed: watch::Sender<u64>) {
    let mut packet = [0; 2048];
    loop {
        let sound = match timeout(LAPSE, socket.recv(&mut packet)).await {
            Ok(Ok(length)) => packet.get(HEADER..length).and_then(Sound::of),
            Ok(Err(_)) => continue,
            Err(_) => None,
        };
        let news = heard.send_if_modified(|before| std::mem::replace(before, sound) != sound);
        if news {
            changed.send_modify(|count| *count += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nearest code of a sample.
    fn coded(sample: f32) -> u8 {
        (0..=255).min_by(|a, b| (linear(*a) - sample).abs().total_cmp(&(linear(*b) - sample).abs())).unwrap()
    }

    fn tone(frequency: f32, loud: f32) -> Vec<u8> {
        let sample = |at: usize| loud * (std::f32::consts::TAU * frequency * at as f32 / RATE).sin();
        (7..7 + PACKET).map(sample).map(coded).collect()
    }

    #[test]
    fn each_tone_is_told_from_the_others() {
        for sound in Sound::ALL {
            assert_eq!(Sound::of(&tone(f32::from(sound.frequency()), 4000.0)), Some(sound));
        }
        assert_eq!(Sound::of(&tone(1000.0, 4000.0)), None);
        assert_eq!(Sound::of(&tone(800.0, 20.0)), None);
        assert_eq!(Sound::of(&[0xff; PACKET]), None);
        assert_eq!(Sound::of(&[]), None);
    }

    #[test]
    fn mu_law_is_read_as_it_is_defined() {
        assert_eq!([0xff, 0x7f, 0x80, 0x00, 0xf0].map(linear), [0.0, 0.0, 32124.0, -32124.0, 120.0]);
    }
}
