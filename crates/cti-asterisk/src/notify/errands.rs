//! Errands under way: of each phone one after the other, of several phones at the same time. A screen that waits is left
//! out as soon as another takes its place.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ringback_cti::{LinkLoss, RequestFailure, Tag};
use ringback_model::{DeviceName, Pii};
use tokio::sync::mpsc;

use super::{Courier, Errand};

/// So many errands of one phone may wait: a phone that is so slow is better off without more.
const WAITING: usize = 8;
/// So many presses may wait until the provider takes them.
const PRESSES: usize = 256;

/// A softkey was pressed: what the phone that shows screens would send.
#[derive(Clone, PartialEq, Eq)]
pub struct Press {
    /// Whose phone.
    pub device: DeviceName,
    /// As it is in [`Screen::keys`](super::Screen::keys): `Dial:ringback:7-12`.
    pub content: String,
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Press").field("device", &self.device).field("content", &Pii(&self.content)).finish()
    }
}

/// Takes presses to the provider whose screen it was.
#[derive(Debug, Clone)]
pub struct Presses {
    taken: mpsc::Sender<Press>,
    /// Whether the provider acts, and has a link.
    open: Arc<AtomicBool>,
}

/// A place for one press, kept free. Dropped, nothing was pressed.
#[derive(Debug)]
pub struct Place(mpsc::OwnedPermit<Press>);

impl Presses {
    /// Where presses are told, and where they come out: for tests of a [`Courier`].
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Press>) {
        let (taken, receiver) = mpsc::channel(PRESSES);
        (Self { taken, open: Arc::new(AtomicBool::new(true)) }, receiver)
    }

    /// A place for a press; `None` if too many wait, or the provider is gone, does not act, or has no link.
    #[must_use]
    pub fn reserve(&self) -> Option<Place> {
        if !self.is_open() {
            return None;
        }
        self.taken.clone().try_reserve_owned().ok().map(Place)
    }

    /// Whether the provider takes presses: it acts, and has a link.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire) && !self.is_over()
    }

    /// The provider is gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.taken.is_closed()
    }
}

impl Place {
    /// Tells it.
    pub fn tell(self, press: Press) {
        self.0.send(press);
    }
}

/// What came of errands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// One ended; the tag is its command's.
    Ended(Option<Tag>, Result<(), RequestFailure>),
    /// A user answered.
    Pressed(Press),
}

struct Job {
    tag: Option<Tag>,
    courier: Arc<dyn Courier>,
    errand: Errand,
}

impl Job {
    /// It decides what is on the phone, whatever was there before.
    fn is_screen(&self) -> bool {
        matches!(self.errand, Errand::Show(_) | Errand::Clear(_))
    }
}

type Running = Pin<Box<dyn Future<Output = (DeviceName, Result<(), RequestFailure>)> + Send>>;

/// The errands of a provider. They run inside [`next`](Self::next).
pub(crate) struct Errands {
    running: FuturesUnordered<Running>,
    /// Of each phone for which something runs: the tag of that, and what waits.
    phones: BTreeMap<DeviceName, (Option<Tag>, VecDeque<Job>)>,
    /// Commands whose screen was left out.
    replaced: VecDeque<Tag>,
    presses: Presses,
    pressed: mpsc::Receiver<Press>,
}

impl Default for Errands {
    fn default() -> Self {
        let (presses, pressed) = Presses::new();
        presses.open.store(false, Ordering::Release);
        Self {
            running: FuturesUnordered::new(),
            phones: BTreeMap::new(),
            replaced: VecDeque::new(),
            presses,
            pressed,
        }
    }
}

impl Errands {
    /// Where presses are told.
    pub(crate) fn presses(&self) -> &Presses {
        &self.presses
    }

    /// Whether presses are taken.
    pub(crate) fn set_open(&self, open: bool) {
        self.presses.open.store(open, Ordering::Release);
    }

    /// Nothing runs or waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.phones.is_empty() && self.replaced.is_empty()
    }

    /// Runs an errand, after those of the same phone.
    ///
    /// # Errors
    /// Too many wait. Nothing was done.
    pub(crate) fn add(
        &mut self,
        tag: Option<Tag>,
        device: &DeviceName,
        courier: Arc<dyn Courier>,
        errand: Errand,
    ) -> Result<(), RequestFailure> {
        let job = Job { tag, courier, errand };
        if job.is_screen()
            && let Some((_, waiting)) = self.phones.get_mut(device)
        {
            let (replaced, others): (VecDeque<_>, _) =
                std::mem::take(waiting).into_iter().partition(Job::is_screen);
            *waiting = others;
            self.replaced.extend(replaced.into_iter().filter_map(|job| job.tag));
        }
        match self.phones.get_mut(device) {
            None => {
                self.phones.insert(device.clone(), (None, VecDeque::new()));
                self.begin(device.clone(), job);
                Ok(())
            }
            Some((_, waiting)) if waiting.len() < WAITING => {
                waiting.push_back(job);
                Ok(())
            }
            Some(_) => {
                let why = format!("{WAITING} orders wait for the phone: look why it is so slow to answer");
                Err(RequestFailure::NeverSent(LinkLoss::Connect(why)))
            }
        }
    }

    fn begin(&mut self, device: DeviceName, job: Job) {
        let Job { tag, courier, errand } = job;
        if let Some((running, _)) = self.phones.get_mut(&device) {
            *running = tag;
        }
        let presses = self.presses.clone();
        self.running.push(Box::pin(async move {
            let result = courier.run(&device, errand, presses).await;
            (device, result)
        }));
    }

    /// Drops everything; gives back the commands whose outcome is open.
    pub(crate) fn give_up(&mut self) -> Vec<(Tag, RequestFailure)> {
        self.running.clear();
        let mut open: Vec<_> = self.replaced.drain(..).map(|tag| (tag, RequestFailure::StandingBy)).collect();
        for (running, waiting) in std::mem::take(&mut self.phones).into_values() {
            open.extend(running.map(|tag| (tag, RequestFailure::OutcomeUnknown)));
            let tags = waiting.into_iter().filter_map(|job| job.tag);
            open.extend(tags.map(|tag| (tag, RequestFailure::StandingBy)));
        }
        open
    }

    /// The next thing that happens. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Happened {
        loop {
            if let Some(tag) = self.replaced.pop_front() {
                return Happened::Ended(Some(tag), Ok(()));
            }
            tokio::select! {
                Some((device, result)) = self.running.next() => {
                    let Some((tag, waiting)) = self.phones.get_mut(&device) else { continue };
                    let tag = tag.take();
                    match waiting.pop_front() {
                        Some(job) => self.begin(device, job),
                        None => drop(self.phones.remove(&device)),
                    }
                    return Happened::Ended(tag, result);
                }
                Some(press) = self.pressed.recv() => return Happened::Pressed(press),
                // A sender is kept here: that does not end.
                else => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use ringback_cti::message::CtiError;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::notify::Screen;

    /// Notes what it is given, and ends as many errands as it is allowed to.
    #[derive(Debug)]
    struct Porter {
        begun: Mutex<Vec<String>>,
        may_end: Semaphore,
    }

    impl Porter {
        fn new() -> Arc<Self> {
            Arc::new(Self { begun: Mutex::default(), may_end: Semaphore::new(0) })
        }

        fn begun(&self) -> Vec<String> {
            std::mem::take(&mut *self.begun.lock().unwrap())
        }
    }

    #[async_trait]
    impl Courier for Porter {
        async fn run(
            &self,
            phone: &DeviceName,
            errand: Errand,
            presses: Presses,
        ) -> Result<(), RequestFailure> {
            let text = match errand {
                Errand::Prompt(text) => text,
                Errand::Show(screen) => screen.title,
                other => panic!("{other:?}"),
            };
            self.begun.lock().unwrap().push(format!("{} {text}", phone.as_str()));
            self.may_end.acquire().await.unwrap().forget();
            match text.as_str() {
                "no" => Err(CtiError::DataRejected.into()),
                "key" => {
                    let press = Press { device: phone.clone(), content: text };
                    presses.reserve().unwrap().tell(press);
                    Ok(())
                }
                _ => Ok(()),
            }
        }
    }

    fn device(name: &str) -> DeviceName {
        DeviceName::new(name).unwrap()
    }

    fn add(
        errands: &mut Errands,
        porter: &Arc<Porter>,
        tag: u64,
        name: &str,
        text: &str,
    ) -> Result<(), RequestFailure> {
        let courier: Arc<dyn Courier> = porter.clone();
        errands.add(Some(Tag(tag)), &device(name), courier, Errand::Prompt(text.to_owned()))
    }

    /// Lets everything run that can run without an errand's end.
    async fn run(errands: &mut Errands) {
        tokio::select! {
            biased;
            happened = errands.next() => panic!("{happened:?}"),
            () = tokio::task::yield_now() => {}
        }
    }

    #[tokio::test]
    async fn each_phone_has_one_at_a_time() {
        let (mut errands, porter) = (Errands::default(), Porter::new());
        for (tag, name, text) in [(1, "1001", "a"), (2, "1001", "no"), (3, "1002", "b"), (4, "1001", "c")] {
            add(&mut errands, &porter, tag, name, text).unwrap();
        }
        run(&mut errands).await;
        assert_eq!(porter.begun(), ["1001 a", "1002 b"]);
        let mut ended = Vec::new();
        for _ in 0..4 {
            porter.may_end.add_permits(1);
            ended.push(errands.next().await);
        }
        let refused = Err(RequestFailure::Refused(CtiError::DataRejected));
        let of = |tag| {
            ended
                .iter()
                .position(|happened| matches!(happened, Happened::Ended(Some(Tag(t)), _) if *t == tag))
        };
        assert!(of(1) < of(2) && of(2) < of(4), "{ended:?}");
        assert!(ended.contains(&Happened::Ended(Some(Tag(2)), refused)), "{ended:?}");
        assert_eq!(porter.begun(), ["1001 no", "1001 c"]);
        assert!(errands.phones.is_empty());
    }

    #[tokio::test]
    async fn presses_come_out() {
        let (mut errands, porter) = (Errands::default(), Porter::new());
        assert!(!errands.presses().is_open() && errands.presses().reserve().is_none());
        errands.set_open(true);
        add(&mut errands, &porter, 1, "1001", "key").unwrap();
        porter.may_end.add_permits(1);
        let press = Press { device: device("1001"), content: "key".to_owned() };
        let happened = [errands.next().await, errands.next().await];
        assert!(happened.contains(&Happened::Pressed(press)), "{happened:?}");
    }

    #[tokio::test]
    async fn a_screen_that_waits_is_left_out_for_a_newer_one() {
        let (mut errands, porter) = (Errands::default(), Porter::new());
        let screen = |title: &str| Errand::Show(Screen { title: title.to_owned(), ..Screen::default() });
        let errand = |text: &str| Errand::Prompt(text.to_owned());
        for (tag, errand) in [(1, screen("a")), (2, screen("b")), (3, errand("alert")), (4, screen("c"))] {
            let courier: Arc<dyn Courier> = porter.clone();
            errands.add(Some(Tag(tag)), &device("1001"), courier, errand).unwrap();
        }
        assert_eq!(errands.next().await, Happened::Ended(Some(Tag(2)), Ok(())));
        porter.may_end.add_permits(3);
        for tag in [1, 3, 4] {
            assert_eq!(errands.next().await, Happened::Ended(Some(Tag(tag)), Ok(())));
        }
        assert_eq!(porter.begun(), ["1001 a", "1001 alert", "1001 c"]);
    }

    #[tokio::test]
    async fn too_many_are_refused_and_all_can_be_given_up() {
        let (mut errands, porter) = (Errands::default(), Porter::new());
        for tag in 0..=8 {
            add(&mut errands, &porter, tag, "1001", "x").unwrap();
        }
        let refused = add(&mut errands, &porter, 9, "1001", "x").unwrap_err();
        assert!(matches!(refused, RequestFailure::NeverSent(_)), "{refused}");
        let open = errands.give_up();
        assert_eq!(open.len(), 9);
        assert_eq!(open[0], (Tag(0), RequestFailure::OutcomeUnknown));
        assert_eq!(open[8], (Tag(8), RequestFailure::StandingBy));
        add(&mut errands, &porter, 10, "1001", "y").unwrap();
        run(&mut errands).await;
        assert_eq!(porter.begun(), ["1001 y"]);
    }
}
