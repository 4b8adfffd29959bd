use std::collections::BTreeMap;
use std::sync::Arc;

use ringback_model::{Millis, Timestamp};
use thiserror::Error;

use super::answers::{Answers, Question};
use crate::client::{Client, Connector};
use crate::session::{Config, ConfigError, Event, Failure, Loss, Ticket};

/// Why a server could not be looked at. Nothing was changed there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Blind {
    /// There is no link; [`reasons()`](super::reasons()) says what to do.
    #[error(transparent)]
    Link(#[from] Loss),
    /// A question was not answered.
    #[error("the server has not answered {action}: {failure}; it is overloaded, try again later")]
    Unanswered {
        /// What was asked.
        action: &'static str,
        /// What is known of it.
        failure: Failure,
    },
    /// It cannot even be tried.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Logs in at a server and asks all that [`findings()`](super::findings()) looks at. To see whether events arrive it raises a
/// user event, and changes the state of a device that is nobody's; nothing else is changed. `patience`: how long an event
/// may take; `clock`: this machine's, which is compared with the server's.
///
/// # Errors
/// There is no link, or it was lost meanwhile.
pub async fn look(
    config: Config,
    connector: Arc<dyn Connector>,
    patience: Millis,
    clock: impl Fn() -> Timestamp,
) -> Result<Answers, Blind> {
    let user = config.server.user.clone();
    let mut visit = Visit {
        client: Client::new(config, connector)?,
        clock,
        answers: Answers::default(),
        asked: BTreeMap::new(),
        tickets: 0,
    };
    loop {
        match visit.client.next(None).await {
            Some(Event::Up { .. }) => break,
            Some(Event::Failed(loss) | Event::Lost(loss)) => return Err(loss.into()),
            _ => {}
        }
    }
    visit.ask(Question::first(&user));
    visit.until(None).await?;
    visit.ask(visit.answers.next());
    visit.until(None).await?;
    let end = visit.client.now() + patience;
    visit.until(Some(end)).await?;
    Ok(visit.answers)
}

struct Visit<C> {
    client: Client,
    clock: C,
    answers: Answers,
    asked: BTreeMap<Ticket, Question>,
    tickets: u64,
}

impl<C: Fn() -> Timestamp> Visit<C> {
    fn ask(&mut self, questions: Vec<Question>) {
        for question in questions {
            let Some(action) = question.action() else { continue };
            self.tickets += 1;
            let ticket = Ticket(self.tickets);
            if self.client.request(ticket, question.name(), action).is_ok() {
                self.asked.insert(ticket, question);
            }
        }
    }

    /// Until everything is answered; with a time, until every event was heard, at the latest then.
    async fn until(&mut self, end: Option<Timestamp>) -> Result<(), Blind> {
        let goes_on = |visit: &Self| match end {
            None => !visit.asked.is_empty(),
            Some(_) => !visit.answers.has_heard_all(),
        };
        while goes_on(self) {
            match self.client.next(end).await {
                None => return Ok(()),
                Some(Event::Lost(loss) | Event::Failed(loss)) => return Err(loss.into()),
                Some(Event::Message(event)) => self.answers.heard(&event),
                Some(Event::Listed(ticket, part)) => {
                    if let Some(question) = self.asked.get(&ticket) {
                        self.answers.listed(question, &part);
                    }
                }
                Some(Event::Answer(ticket, result)) => {
                    if let Some(question) = self.asked.remove(&ticket) {
                        if let Err(failure) = &result
                            && !matches!(failure, Failure::Refused(_) | Failure::NotPermitted(_))
                        {
                            return Err(Blind::Unanswered {
                                action: question.name(),
                                failure: failure.clone(),
                            });
                        }
                        self.answers.answered((self.clock)(), &question, result.as_ref());
                    }
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}
