use std::net::IpAddr;

use ringback::election::{MemoryRegistry, Registry};

/// Where the instances of a site meet, as a world breaks it.
pub trait MeetingPlace: Registry {
    /// Switches it off for all, or on again.
    fn set_available(&self, available: bool);

    /// Cuts the member at this address off: its calls are not done.
    fn cut(&self, address: IpAddr);

    /// Cuts the way back to the member at this address: its calls are done, but it is never answered.
    fn lose_answers(&self, address: IpAddr);

    /// Undoes [`cut`](Self::cut) and [`lose_answers`](Self::lose_answers).
    fn heal(&self, address: IpAddr);
}

impl MeetingPlace for MemoryRegistry {
    fn set_available(&self, available: bool) {
        Self::set_available(self, available);
    }

    fn cut(&self, address: IpAddr) {
        Self::cut(self, address);
    }

    fn lose_answers(&self, address: IpAddr) {
        Self::lose_answers(self, address);
    }

    fn heal(&self, address: IpAddr) {
        Self::heal(self, address);
    }
}
