use proptest::prelude::*;

/// A small deterministic generator (splitmix64): one seed, one story.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What can happen to instances, by their index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Start(usize),
    /// With or without proof for the others.
    Kill(usize, bool),
    Stop(usize),
    Pause(usize),
    Resume(usize),
    Cut(usize),
    /// Its calls arrive, the answers do not.
    Deafen(usize),
    Heal(usize),
    Slow(bool),
    Loss(u64),
    Ready(usize, bool),
}

/// What happens, and how many milliseconds pass after each.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    pub(crate) hosts: usize,
    pub(crate) steps: Vec<(u64, Fault)>,
}

impl Schedule {
    /// A random story for this seed.
    pub(crate) fn random(seed: u64) -> Self {
        let mut rng = Rng(seed ^ 0x5EED);
        let hosts = 2 + usize::try_from(rng.below(3)).unwrap();
        let mut steps: Vec<(u64, Fault)> =
            (0..hosts).map(|index| (rng.below(300), Fault::Start(index))).collect();
        for _ in 0..30 {
            let index = usize::try_from(rng.below(8)).unwrap();
            let fault = match rng.below(16) {
                0..=3 => Fault::Start(index),
                4 => Fault::Kill(index, rng.below(2) == 0),
                5 => Fault::Stop(index),
                6 | 7 => Fault::Pause(index),
                8 | 9 => Fault::Resume(index),
                10 => Fault::Cut(index),
                11 => Fault::Deafen(index),
                12 | 13 => Fault::Heal(index),
                14 => Fault::Slow(rng.below(2) == 0),
                _ => Fault::Loss([0, 100, 400][usize::try_from(rng.below(3)).unwrap()]),
            };
            steps.push((rng.below(1500), fault));
        }
        Self { seed, hosts, steps }
    }

    /// As above, but such that a failure is made smaller.
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let fault = prop_oneof![
            4 => (0..8usize).prop_map(Fault::Start),
            1 => (0..8usize, any::<bool>()).prop_map(|(index, proof)| Fault::Kill(index, proof)),
            1 => (0..8usize).prop_map(Fault::Stop),
            2 => (0..8usize).prop_map(Fault::Pause),
            2 => (0..8usize).prop_map(Fault::Resume),
            1 => (0..8usize).prop_map(Fault::Cut),
            1 => (0..8usize).prop_map(Fault::Deafen),
            2 => (0..8usize).prop_map(Fault::Heal),
            1 => any::<bool>().prop_map(Fault::Slow),
            1 => prop_oneof![Just(0u64), Just(100), Just(400)].prop_map(Fault::Loss),
            1 => (0..8usize, any::<bool>()).prop_map(|(index, ready)| Fault::Ready(index, ready)),
        ];
        let steps = proptest::collection::vec((0..1500u64, fault), 1..40);
        (any::<u64>(), 1..5usize, steps).prop_map(|(seed, hosts, steps)| Self { seed, hosts, steps })
    }
}
