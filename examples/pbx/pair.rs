//! A caller A and the phone B that it waits for.

use std::time::Duration;

use ringback_pbx_lab::{Answering, CallOutcome, Phone, PhoneCall, PhoneEvent, Server};
use tokio::time::{Instant, sleep};

use crate::office::Office;
use crate::stage::{Failure, NOBODY};

/// What happens at once happens within this time, on a busy machine, too.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// How long a caller lets it ring.
const PATIENCE: Duration = Duration::from_millis(500);

/// Who completes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// ringback.
    Us,
    /// The server itself.
    Server,
}

/// Two registered phones.
pub(crate) struct Pair {
    pub(crate) by: By,
    pub(crate) a: Phone,
    pub(crate) b: Phone,
    /// What B is in.
    talk: Option<PhoneCall>,
}

impl Pair {
    pub(crate) async fn register(server: &Server, by: By, a: &str, b: &str) -> Result<Self, Failure> {
        let (a, b) = (Phone::register(server, a).await?, Phone::register(server, b).await?);
        Ok(Self { by, a, b, talk: None })
    }

    /// Both register again.
    pub(crate) async fn renew(&self) -> Result<(), Failure> {
        self.a.renew().await?;
        self.b.renew().await?;
        Ok(())
    }

    /// B calls this number, which answers, and is busy for others.
    pub(crate) async fn b_calls(&mut self, number: &str) -> Result<(), Failure> {
        self.b.set_answering(Answering::Busy);
        self.talk = Some(answered(&self.b, number).await?);
        Ok(())
    }

    /// A calls B, which is busy, and wants to be called back.
    pub(crate) async fn a_asks(&mut self) -> Result<(), Failure> {
        let mut failed = self.a.call(self.b.name())?;
        failed.wait_for(SOON, |outcome| outcome == CallOutcome::Failed(486)).await?;
        self.a_presses_key().await
    }

    /// B does not answer A, who wants to be called back.
    pub(crate) async fn a_asks_after_no_answer(&mut self) -> Result<(), Failure> {
        self.b.set_answering(Answering::Ring);
        let mut failed = self.a.call(self.b.name())?;
        failed.wait_for(SOON, |outcome| outcome == CallOutcome::Ringing).await?;
        // Nobody gives up the moment it rings. The server tells us of it a little later than the phone.
        sleep(PATIENCE).await;
        failed.hang_up().await?;
        self.b.wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await?;
        self.a_presses_key().await
    }

    async fn a_presses_key(&mut self) -> Result<(), Failure> {
        self.a.drain();
        let key = match self.by {
            By::Us => format!("*66{}", self.b.name()),
            By::Server => "*66".to_owned(),
        };
        let mut key = answered(&self.a, &key).await?;
        key.hang_up().await?;
        key.wait_for(SOON, |outcome| outcome == CallOutcome::Ended).await?;
        if self.by == By::Us {
            let activated = format!("CallBack is activated on {}", self.b.name());
            let told = |event: &PhoneEvent| text_with(event, &activated);
            if self.a.wait_for(SOON / 2, told).await.is_err() {
                // Stored by an instance that lost its lease before it could say so: on a machine whose disk stands still.
                self.a.text("ringback", "?").await?;
                self.a.wait_for(SOON, told).await?;
            }
        }
        Ok(())
    }

    /// B hangs up, and can be called. Gives back the moment before.
    pub(crate) async fn b_hangs_up(&mut self) -> Result<Instant, Failure> {
        self.b.set_answering(Answering::Ring);
        let talk = self.talk.take().ok_or("B is in no call")?;
        let begun = Instant::now();
        talk.hang_up().await?;
        Ok(begun)
    }

    /// The same while the server may be dying: whether it hears of it does not matter.
    pub(crate) fn b_hangs_up_unheard(&mut self) {
        self.b.set_answering(Answering::Ring);
        if let Some(talk) = self.talk.take() {
            tokio::spawn(async move { talk.hang_up().await });
        }
    }

    /// B uses its phone for a moment.
    pub(crate) async fn b_uses_phone(&mut self) -> Result<(), Failure> {
        self.b.set_answering(Answering::Ring);
        let mut used = answered(&self.b, NOBODY).await?;
        used.hang_up().await?;
        used.wait_for(SOON, |outcome| outcome == CallOutcome::Ended).await?;
        Ok(())
    }

    /// Both end what they are in, whatever that is.
    pub(crate) async fn give_up(&mut self) {
        if let Some(talk) = self.talk.take() {
            let _ended = talk.hang_up().await;
        }
        for phone in [&self.a, &self.b] {
            while phone.hang_up().await.is_ok() {}
        }
    }

    fn is_recall(&self, event: &PhoneEvent) -> bool {
        let PhoneEvent::Rings { name, .. } = event else { return false };
        self.by == By::Server || *name == format!("Call Back {}", self.b.name())
    }

    /// When A was recalled; `None`: not within this time.
    pub(crate) async fn recalled(&mut self, within: Duration) -> Option<Instant> {
        let end = Instant::now() + within;
        loop {
            let (at, event) = self.a.next_event(end.saturating_duration_since(Instant::now())).await?;
            if self.is_recall(&event) {
                return Some(at);
            }
        }
    }

    /// When A was recalled.
    pub(crate) async fn is_recalled(&mut self) -> Result<Instant, Failure> {
        let when = self.recalled(SOON).await;
        when.ok_or_else(|| format!("{} was not recalled", self.a.name()).into())
    }

    /// When A was recalled, of what was seen and not taken yet.
    pub(crate) fn recalls(&mut self) -> Vec<Instant> {
        let seen = self.a.drain();
        seen.iter().filter(|(_, event)| self.is_recall(event)).map(|(at, _)| *at).collect()
    }

    /// A gives up its request: it asks what is waiting, and presses Cancel.
    pub(crate) async fn a_cancels(&mut self, office: &Office) -> Result<(), Failure> {
        self.a.drain();
        self.a.text("ringback", "?").await?;
        let (_, screen) = self.a.wait_for(SOON, |event| text_with(event, "=Cancel")).await?;
        let PhoneEvent::Text(screen) = screen else { return Err("no text".into()) };
        let key = screen.split_whitespace().find_map(|word| word.strip_suffix("=Cancel"));
        self.a.text("ringback", key.ok_or("no key Cancel")?).await?;
        office.ended_request_of(self.a.name()).await
    }
}

/// Calls this number, which answers.
pub(crate) async fn answered(phone: &Phone, number: &str) -> Result<PhoneCall, Failure> {
    let mut call = phone.call(number)?;
    call.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await?;
    Ok(call)
}

/// Whether it is a text with this in it.
pub(crate) fn text_with(event: &PhoneEvent, part: &str) -> bool {
    matches!(event, PhoneEvent::Text(text) if text.contains(part))
}
