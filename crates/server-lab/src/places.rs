use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::LabError;

/// Places that are free on one address of 127.`block`.0.0/12, with which other processes do not begin. `block` is a
/// multiple of 16.
///
/// # Errors
/// There is none, for this server.
pub fn free_places<const N: usize>(block: u8, server: &'static str) -> Result<[SocketAddrV4; N], LabError> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(61));
    let [_, a, b, c] = (number & 0x000f_ffff).to_be_bytes();
    let own = Ipv4Addr::new(127, block | a, b, c.clamp(1, 254));
    // Not every system has more than one address there.
    for host in [own, Ipv4Addr::LOCALHOST] {
        // All are held at once, or they may be the same.
        let held: Result<Vec<TcpListener>, _> =
            (0..N).map(|_| TcpListener::bind(SocketAddrV4::new(host, 0))).collect();
        let Ok(held) = held else { continue };
        let ports: Result<Vec<u16>, _> =
            held.iter().map(|listener| listener.local_addr().map(|place| place.port())).collect();
        let Ok(ports) = ports.map(<[u16; N]>::try_from) else { continue };
        if let Ok(ports) = ports {
            return Ok(ports.map(|port| SocketAddrV4::new(host, port)));
        }
    }
    Err(LabError::NotStarted { server, log: "no free port on 127.0.0.1".to_owned() })
}
