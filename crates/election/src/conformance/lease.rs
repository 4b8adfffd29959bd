use ringback_model::{Epoch, Millis};

use super::{Bench, Violation, first, holder, member, same, together};
use crate::registry::{Evidence, Intent, Registry, RegistryError};

const RENEWS: &str = "only the holder renews, and only in the epoch of its lease";

fn claim(seen: u64) -> Intent {
    Intent::Acquire { seen: Epoch(seen), above: Epoch(0) }
}

pub(super) async fn one_gets_it<R: Registry>(bench: &Bench<'_, R>) -> Result<(), Violation> {
    const CHECK: &str =
        "a free lease is given for its length in a new epoch, and to nobody else while in force";
    let (one, two) = (member(1, 1), member(2, 1));
    let view = bench.must(CHECK, &two, first()).await?;
    let given = view.lease.map(|lease| (lease.holder, lease.epoch, lease.granted, lease.expires));
    same(CHECK, given, Some((two, Epoch(1), view.at, view.at + bench.length)))?;
    same(CHECK, view.lease.map(|lease| lease.released), Some(false))?;
    let view = bench.must(CHECK, &one, claim(1)).await?;
    same(CHECK, (view.epoch, holder(&view)), (Epoch(1), Some((two, Epoch(1)))))
}

pub(super) async fn all_at_once_one_gets_it<R: Registry>(bench: &Bench<'_, R>) -> Result<(), Violation> {
    const CHECK: &str = "of many claims at once one is granted, and all agree which";
    let members: Vec<_> = (1..=8).map(|last| member(last, 1)).collect();
    let answers = together(members.iter().map(|who| bench.tick(who, first())).collect()).await;
    let view = bench.read(CHECK).await?;
    same(CHECK, (view.epoch, view.members.len()), (Epoch(1), members.len()))?;
    for (who, answer) in members.iter().zip(answers) {
        match answer {
            Ok(told) => same(CHECK, holder(&told), holder(&view))?,
            // Refused for a collision: then it was not done.
            Err(RegistryError::NotDone(_)) => same(CHECK, holder(&view) == Some((*who, Epoch(1))), false)?,
            Err(error) => same(CHECK, error.to_string(), "an answer".to_owned())?,
        }
    }
    Ok(())
}

pub(super) async fn a_claim_in_view_of_an_older_epoch_is_void<R: Registry>(
    bench: &Bench<'_, R>,
    pass: &impl AsyncFn(Millis),
) -> Result<(), Violation> {
    const CHECK: &str = "a claim made in view of an older epoch is void, though the lease is free";
    const NEXT: &str = "a lease that ran out is given in a higher epoch";
    let (one, two) = (member(1, 1), member(2, 1));
    bench.must(CHECK, &one, first()).await?;
    pass(bench.length).await;
    let view = bench.must(CHECK, &two, first()).await?;
    same(CHECK, (view.epoch, holder(&view)), (Epoch(1), None))?;
    let view = bench.must(NEXT, &two, claim(1)).await?;
    same(NEXT, holder(&view), Some((two, Epoch(2))))
}

pub(super) async fn the_epoch_is_above_what_the_claimer_remembers<R: Registry>(
    bench: &Bench<'_, R>,
) -> Result<(), Violation> {
    const CHECK: &str = "a new epoch is above the registry's own and above the one the claimer remembers";
    let one = member(1, 1);
    let intent = Intent::Acquire { seen: Epoch(0), above: Epoch(41) };
    let view = bench.must(CHECK, &one, intent).await?;
    same(CHECK, (view.epoch, holder(&view)), (Epoch(42), Some((one, Epoch(42)))))?;
    let intent = Intent::Acquire { seen: Epoch(42), above: Epoch(7) };
    let view = bench.must(CHECK, &one, intent).await?;
    same(CHECK, holder(&view), Some((one, Epoch(43))))
}

pub(super) async fn the_epoch_outlives_everybody<R: Registry>(
    bench: &Bench<'_, R>,
    pass: &impl AsyncFn(Millis),
) -> Result<(), Violation> {
    const CHECK: &str = "the highest epoch given is remembered when lease and members are long gone";
    let (one, two) = (member(1, 1), member(2, 1));
    let high = Epoch(1 << 40);
    let intent = Intent::Acquire { seen: Epoch(0), above: high };
    bench.must(CHECK, &one, intent).await?;
    bench.must(CHECK, &one, Intent::Leave).await?;
    pass(Millis(bench.length.0 * 3)).await;
    let view = bench.read(CHECK).await?;
    same(CHECK, (view.epoch, holder(&view), view.members.len()), (high.next(), None, 0))?;
    let late = bench.must(CHECK, &two, first()).await?;
    same(CHECK, (late.epoch, holder(&late)), (high.next(), None))?;
    let old = bench.tick(&one, Intent::Renew { epoch: high.next() }).await;
    same(RENEWS, old.err(), Some(RegistryError::Fenced { ours: high.next(), current: high.next() }))?;
    let view = bench.must(CHECK, &two, claim(high.next().0)).await?;
    same(CHECK, holder(&view), Some((two, high.next().next())))
}

pub(super) async fn the_holder_may_begin_anew<R: Registry>(bench: &Bench<'_, R>) -> Result<(), Violation> {
    const CHECK: &str = "the holder may claim its own lease again, in a higher epoch";
    let one = member(1, 1);
    bench.must(CHECK, &one, first()).await?;
    let view = bench.must(CHECK, &one, claim(1)).await?;
    same(CHECK, holder(&view), Some((one, Epoch(2))))?;
    let old = bench.tick(&one, Intent::Renew { epoch: Epoch(1) }).await;
    same(RENEWS, old.err(), Some(RegistryError::Fenced { ours: Epoch(1), current: Epoch(2) }))
}

pub(super) async fn renewing_lengthens<R: Registry>(
    bench: &Bench<'_, R>,
    pass: &impl AsyncFn(Millis),
) -> Result<(), Violation> {
    const CHECK: &str = "renewing makes a lease last its length from now, in the same epoch";
    let (one, two) = (member(1, 1), member(2, 1));
    let given = bench.must(CHECK, &one, first()).await?;
    pass(Millis(bench.length.0 * 6 / 10)).await;
    let view = bench.must(CHECK, &one, Intent::Renew { epoch: Epoch(1) }).await?;
    let renewed = view.lease.map(|lease| (lease.epoch, lease.granted, lease.expires));
    same(CHECK, renewed, Some((Epoch(1), given.at, view.at + bench.length)))?;
    pass(Millis(bench.length.0 / 2)).await;
    let view = bench.must(CHECK, &two, claim(1)).await?;
    same(CHECK, holder(&view), Some((one, Epoch(1))))
}

pub(super) async fn only_the_holder_in_its_epoch_renews<R: Registry>(
    bench: &Bench<'_, R>,
) -> Result<(), Violation> {
    const CHECK: &str = RENEWS;
    let (one, two) = (member(1, 1), member(2, 1));
    let early = bench.tick(&one, Intent::Renew { epoch: Epoch(0) }).await;
    same(CHECK, early.err(), Some(RegistryError::Fenced { ours: Epoch(0), current: Epoch(0) }))?;
    let given = bench.must(CHECK, &one, claim(0)).await?;
    for (who, epoch) in [(two, Epoch(1)), (one, Epoch(2)), (one, Epoch(0))] {
        let refused = bench.tick(&who, Intent::Renew { epoch }).await;
        same(CHECK, refused.err(), Some(RegistryError::Fenced { ours: epoch, current: Epoch(1) }))?;
    }
    let view = bench.read(CHECK).await?;
    same(CHECK, view.lease, given.lease)
}

pub(super) async fn who_is_late_is_fenced_and_still_live<R: Registry>(
    bench: &Bench<'_, R>,
    pass: &impl AsyncFn(Millis),
) -> Result<(), Violation> {
    const CHECK: &str = "a lease that ran out cannot be renewed; the heartbeat with it counts all the same";
    let (one, two) = (member(1, 1), member(2, 1));
    bench.must(CHECK, &one, first()).await?;
    pass(bench.length).await;
    let late = bench.tick(&one, Intent::Renew { epoch: Epoch(1) }).await;
    same(CHECK, late.err(), Some(RegistryError::Fenced { ours: Epoch(1), current: Epoch(1) }))?;
    let view = bench.must(CHECK, &two, claim(1)).await?;
    same(CHECK, (holder(&view), view.members.len()), (Some((two, Epoch(2))), 2))?;
    let late = bench.tick(&one, Intent::Renew { epoch: Epoch(1) }).await;
    same(CHECK, late.err(), Some(RegistryError::Fenced { ours: Epoch(1), current: Epoch(2) }))
}

pub(super) async fn released_is_over<R: Registry>(bench: &Bench<'_, R>) -> Result<(), Violation> {
    const CHECK: &str = "a lease given back is over at once; only its holder gives it back, in its epoch";
    let (one, two) = (member(1, 1), member(2, 1));
    bench.must(CHECK, &one, first()).await?;
    for (who, epoch) in [(two, Epoch(1)), (one, Epoch(2))] {
        let view = bench.must(CHECK, &who, Intent::Release { epoch }).await?;
        same(CHECK, holder(&view), Some((one, Epoch(1))))?;
    }
    let view = bench.must(CHECK, &one, Intent::Release { epoch: Epoch(1) }).await?;
    let released = view.lease.map(|lease| (lease.expires <= view.at, lease.released));
    same(CHECK, (released, view.members.len()), (Some((true, true)), 2))?;
    let view = bench.must(CHECK, &two, claim(1)).await?;
    same(CHECK, holder(&view), Some((two, Epoch(2))))
}

pub(super) async fn who_leaves_takes_no_other_lease_along<R: Registry>(
    bench: &Bench<'_, R>,
) -> Result<(), Violation> {
    const CHECK: &str = "who leaves gives back its own lease only";
    let (one, two) = (member(1, 1), member(2, 1));
    bench.must(CHECK, &one, first()).await?;
    bench.must(CHECK, &two, Intent::Watch).await?;
    let view = bench.must(CHECK, &two, Intent::Leave).await?;
    same(CHECK, (holder(&view), view.members.len()), (Some((one, Epoch(1))), 1))?;
    let view = bench.must(CHECK, &one, Intent::Renew { epoch: Epoch(1) }).await?;
    same(CHECK, holder(&view), Some((one, Epoch(1))))
}

pub(super) async fn the_dead_are_struck_out<R: Registry>(bench: &Bench<'_, R>) -> Result<(), Violation> {
    const CHECK: &str = "who is proven dead is no member and holds no lease; another run there is left alone";
    let (one, two, not_one) = (member(1, 1), member(2, 1), member(1, 2));
    bench.must(CHECK, &one, first()).await?;
    bench.must(CHECK, &two, Intent::Watch).await?;
    let view = bench.other.expel(&bench.group, &two, &not_one, Evidence::LinkClosed).await;
    let told = view.map(|view| (holder(&view), view.members.len()));
    same(CHECK, told, Ok((Some((one, Epoch(1))), 2)))?;
    for _ in 0..2 {
        let view = bench.other.expel(&bench.group, &two, &one, Evidence::LinkClosed).await;
        let told =
            view.map(|view| (holder(&view), view.members.len(), view.lease.map(|lease| lease.released)));
        same(CHECK, told, Ok((None, 1, Some(true))))?;
    }
    let view = bench.must(CHECK, &two, claim(1)).await?;
    same(CHECK, holder(&view), Some((two, Epoch(2))))
}
