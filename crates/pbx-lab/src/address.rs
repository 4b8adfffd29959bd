use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::LabError;

/// The port of the manager interface.
pub(crate) const AMI: u16 = 5038;
/// Its port for TLS.
pub(crate) const AMI_TLS: u16 = 5039;
/// The port of SIP.
pub(crate) const SIP: u16 = 5060;
/// The port of the older SIP channel.
pub(crate) const CHAN_SIP: u16 = 5062;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// An address that nobody uses: one of 127.16.0.0/12, of this process first. No two calls give the same one, because its
/// server has not taken it yet when the next call looks.
pub(crate) fn free() -> Result<Ipv4Addr, LabError> {
    for _ in 0..4096 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(61));
        let [_, a, b, c] = (number & 0x000f_ffff).to_be_bytes();
        if matches!(c, 0 | 255) {
            continue;
        }
        let address = Ipv4Addr::new(127, 16 + (a & 0x0f), b, c);
        let free = TcpListener::bind(SocketAddrV4::new(address, AMI)).is_ok()
            && UdpSocket::bind(SocketAddrV4::new(address, SIP)).is_ok();
        if free {
            return Ok(address);
        }
    }
    Err(LabError::NoAddress)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::free;

    #[test]
    fn no_address_is_given_twice() {
        let addresses: BTreeSet<_> = (0..600).map_while(|_| free().ok()).collect();
        assert_eq!(addresses.len(), 600);
    }
}
