use std::future::{Future, poll_fn};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::task::Poll;

use ringback_model::{Epoch, Group, Millis, Timestamp};

use super::{Bench, Violation, first, holder, member, same};
use crate::member::{Incarnation, Member, View};
use crate::registry::{Evidence, Intent, Registry, RegistryError, Report, Request};

fn live(view: &View) -> Vec<Member> {
    view.members.values().map(|known| known.member).collect()
}

pub(super) async fn an_unknown_group_is_empty<R: Registry>(bench: &Bench<'_, R>) -> Result<(), Violation> {
    const CHECK: &str = "a group nobody has joined is empty";
    let view = bench.read(CHECK).await?;
    same(CHECK, (view.epoch, view.lease, live(&view)), (Epoch(0), None, vec![]))
}

pub(super) async fn the_first_report_joins<R: Registry>(bench: &Bench<'_, R>) -> Result<(), Violation> {
    const CHECK: &str = "the first report joins, and the next keeps what is known";
    let (one, two) = (member(1, 1), member(2, 1));
    let view = bench.must(CHECK, &two, Intent::Watch).await?;
    let Some(joined) = view.members.get(&two.address).copied() else {
        return same(CHECK, live(&view), vec![two]);
    };
    same(CHECK, (joined.joined, joined.until, joined.ready), (view.at, view.at + bench.length, true))?;
    bench.must(CHECK, &one, Intent::Watch).await?;
    let again = bench.must(CHECK, &two, Intent::Watch).await?;
    same(CHECK, live(&again), vec![one, two])?;
    let kept = again.members.get(&two.address).map(|known| (known.joined, known.until));
    same(CHECK, kept, Some((joined.joined, again.at + bench.length)))?;
    let read = bench.read(CHECK).await?;
    same(CHECK, (live(&read), read.at >= again.at), (vec![one, two], true))
}

pub(super) async fn every_member_is_known_as_it_reported<R: Registry>(
    bench: &Bench<'_, R>,
) -> Result<(), Violation> {
    const CHECK: &str = "a member is told as it reported itself, whatever its address and run";
    let v6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1];
    let members = [
        Member::new(Ipv4Addr::new(9, 255, 255, 255).into(), Incarnation(u64::MAX), Timestamp(0)),
        Member::new(Ipv4Addr::new(10, 0, 0, 10).into(), Incarnation(1), Timestamp(1_767_621_600_000)),
        Member::new(Ipv6Addr::from(v6).into(), Incarnation(0), Timestamp(1)),
    ];
    for who in members {
        bench.must(CHECK, &who, Intent::Watch).await?;
    }
    let view = bench.read(CHECK).await?;
    same(CHECK, live(&view), members.to_vec())
}

pub(super) async fn a_silent_member_is_gone_after_its_length<R: Registry>(
    bench: &Bench<'_, R>,
    pass: &impl AsyncFn(Millis),
) -> Result<(), Violation> {
    const CHECK: &str = "a member is live for its length after its last report, and no longer";
    let (one, two) = (member(1, 1), member(2, 1));
    bench.must(CHECK, &one, Intent::Watch).await?;
    pass(Millis(bench.length.0 * 6 / 10)).await;
    let view = bench.must(CHECK, &two, Intent::Watch).await?;
    same(CHECK, live(&view), vec![one, two])?;
    pass(Millis(bench.length.0 / 2)).await;
    let view = bench.read(CHECK).await?;
    same(CHECK, live(&view), vec![two])
}

pub(super) async fn an_address_has_one_live_run<R: Registry>(
    bench: &Bench<'_, R>,
    pass: &impl AsyncFn(Millis),
) -> Result<(), Violation> {
    const CHECK: &str = "another run at an address is refused while the former is live, and changes nothing";
    let (former, latter) = (member(1, 1), member(1, 2));
    bench.must(CHECK, &former, first()).await?;
    let refused = bench.tick(&latter, Intent::Acquire { seen: Epoch(1), above: Epoch(0) }).await;
    match &refused {
        Err(RegistryError::AddressInUse { address, other, frees_in }) => {
            let bounded = *frees_in > Millis::ZERO && *frees_in <= bench.length;
            same(CHECK, (*address, other.incarnation, bounded), (former.address, former.incarnation, true))?;
        }
        _ => same(CHECK, format!("{refused:?}"), "AddressInUse".to_owned())?,
    }
    let view = bench.read(CHECK).await?;
    same(CHECK, (live(&view), holder(&view)), (vec![former], Some((former, Epoch(1)))))?;
    pass(bench.length).await;
    let view = bench.must(CHECK, &latter, Intent::Watch).await?;
    same(CHECK, live(&view), vec![latter])?;
    let refused = bench.tick(&former, Intent::Watch).await;
    same(CHECK, matches!(refused, Err(RegistryError::AddressInUse { .. })), true)
}

pub(super) async fn an_address_does_not_change<R: Registry>(bench: &Bench<'_, R>) -> Result<(), Violation> {
    const CHECK: &str = "a live run that reports under another address is refused, and changes nothing";
    let before = member(1, 1);
    let after = Member { address: member(3, 1).address, ..before };
    bench.must(CHECK, &before, Intent::Watch).await?;
    let refused = bench.tick(&after, Intent::Watch).await;
    let expected: (Incarnation, IpAddr, IpAddr) = (before.incarnation, before.address, after.address);
    match refused {
        Err(RegistryError::AddressChanged { incarnation, was, now }) => {
            same(CHECK, (incarnation, was, now), expected)?;
        }
        other => same(CHECK, format!("{other:?}"), "AddressChanged".to_owned())?,
    }
    let view = bench.read(CHECK).await?;
    same(CHECK, live(&view), vec![before])
}

pub(super) async fn who_leaves_is_gone<R: Registry>(bench: &Bench<'_, R>) -> Result<(), Violation> {
    const CHECK: &str = "who leaves is no member any more, and its lease is over";
    let (one, two) = (member(1, 1), member(2, 1));
    bench.must(CHECK, &one, first()).await?;
    bench.must(CHECK, &two, Intent::Watch).await?;
    let view = bench.must(CHECK, &one, Intent::Leave).await?;
    let released = view.lease.map(|lease| (lease.holder, lease.released));
    same(CHECK, (live(&view), holder(&view), released), (vec![two], None, Some((one, true))))?;
    let view = bench.must("leaving twice does no harm", &one, Intent::Leave).await?;
    same(CHECK, live(&view), vec![two])
}

pub(super) async fn groups_are_apart<R: Registry>(
    registry: &R,
    here: &Bench<'_, R>,
    there: &Bench<'_, R>,
) -> Result<(), Violation> {
    const CHECK: &str = "groups have nothing in common, also when asked together";
    let one = member(1, 1);
    here.must(CHECK, &one, first()).await?;
    let view = there.read(CHECK).await?;
    same(CHECK, (view.epoch, live(&view)), (Epoch(0), vec![]))?;
    let report =
        Report { member: one, ready: true, length: here.length, intent: Intent::Renew { epoch: Epoch(1) } };
    let reports = [(there.group.clone(), report), (here.group.clone(), report)];
    let answers = registry.tick_all(&reports).await;
    let told: Vec<_> = answers.iter().map(|answer| answer.as_ref().map(holder).ok()).collect();
    same(CHECK, told, vec![None, Some(Some((one, Epoch(1))))])
}

/// So many groups in one exchange.
const MANY: usize = 100;

pub(super) async fn many_groups_at_once<R: Registry>(registry: &R, length: Millis) -> Result<(), Violation> {
    const CHECK: &str = "many groups are answered in order, each for itself";
    same(CHECK, registry.tick_all(&[]).await.len(), 0)?;
    let report = |last: u8, intent| Report { member: member(last, 1), ready: true, length, intent };
    // Every seventh is refused, and every third held by another already.
    let refused = |number: usize| number % 7 == 6;
    let taken = |number: usize| number % 3 == 2;
    let mut reports = Vec::with_capacity(MANY);
    for number in 0..MANY {
        let group = Group::new(format!("conformance-many-{number}")).unwrap_or_default();
        if taken(number) {
            let other = registry.tick(&group, &report(2, first())).await;
            same(CHECK, other.map(|view| holder(&view)), Ok(Some((member(2, 1), Epoch(1)))))?;
        }
        let length = if refused(number) { Millis::ZERO } else { length };
        reports.push((group, Report { length, ..report(1, first()) }));
    }
    let answers = registry.tick_all(&reports).await;
    same(CHECK, answers.len(), MANY)?;
    for (number, answer) in answers.into_iter().enumerate() {
        let told = answer.map(|view| (holder(&view), view.members.len()));
        if refused(number) {
            same(CHECK, matches!(told, Err(RegistryError::Invalid(_))), true)?;
        } else {
            let (who, members) = if taken(number) { (2, 2) } else { (1, 1) };
            same(CHECK, told, Ok((Some((member(who, 1), Epoch(1))), members)))?;
        }
    }
    Ok(())
}

pub(super) async fn many_calls_at_once<R: Registry>(registry: &R, length: Millis) -> Result<(), Violation> {
    const CHECK: &str = "calls of different kinds are answered in order, each for itself";
    same(CHECK, registry.call_all(&[]).await.len(), 0)?;
    let (one, two) = (member(1, 1), member(2, 1));
    let report = |member, intent| Report { member, ready: true, length, intent };
    let expelled = |number: usize| number % 3 != 1;
    let mut calls = Vec::with_capacity(MANY);
    // All at once: where each takes its time, the first would be over before the last is given.
    let groups: Vec<Group> = (0..MANY)
        .map(|number| Group::new(format!("conformance-calls-{number}")).unwrap_or_default())
        .collect();
    let others: Vec<_> = groups.iter().map(|group| (group.clone(), report(two, first()))).collect();
    for other in registry.tick_all(&others).await {
        same(CHECK, other.map(|view| holder(&view)), Ok(Some((two, Epoch(1)))))?;
    }
    for (number, group) in groups.into_iter().enumerate() {
        let request = if expelled(number) {
            Request::Expel { by: one, dead: two, evidence: Evidence::LinkClosed }
        } else {
            Request::Tick(report(one, Intent::Watch))
        };
        calls.push((group, request));
    }
    let answers = registry.call_all(&calls).await;
    same(CHECK, answers.len(), MANY)?;
    for (number, answer) in answers.into_iter().enumerate() {
        let told = answer.map(|view| (holder(&view), live(&view)));
        let expected =
            if expelled(number) { (None, vec![]) } else { (Some((two, Epoch(1))), vec![one, two]) };
        same(CHECK, told, Ok(expected))?;
    }
    Ok(())
}

pub(super) async fn no_change_is_told_where_none_is<R: Registry>(
    bench: &Bench<'_, R>,
) -> Result<(), Violation> {
    const CHECK: &str = "changed does not return while the revision is the one seen";
    let one = member(1, 1);
    bench.must(CHECK, &one, Intent::Watch).await?;
    let seen = bench.must(CHECK, &one, Intent::Watch).await?.revision;
    let mut changed = pin!(bench.one.changed(&bench.group, &one, seen));
    let returned = poll_fn(|context| Poll::Ready(changed.as_mut().poll(context).is_ready())).await;
    same(CHECK, returned, false)
}

pub(super) async fn the_revision_counts_what_matters<R: Registry>(
    bench: &Bench<'_, R>,
) -> Result<(), Violation> {
    const MOVES: &str = "the revision grows with joins, leaves, readiness, and a lease given or given back";
    const RESTS: &str = "the revision does not grow with heartbeats and renewals";
    let (one, two) = (member(1, 1), member(2, 1));
    let epoch = Epoch(1);
    let mut last = bench.read(MOVES).await?.revision;
    let steps = [
        (one, Intent::Watch, true),
        (two, Intent::Watch, true),
        (two, Intent::Watch, false),
        (one, first(), true),
        (one, Intent::Renew { epoch }, false),
        (one, Intent::Release { epoch }, true),
        (one, Intent::Release { epoch }, false),
        (two, Intent::Leave, true),
    ];
    for (who, intent, moves) in steps {
        let revision = bench.must(MOVES, &who, intent).await?.revision;
        same(if moves { MOVES } else { RESTS }, revision > last, moves)?;
        last = revision;
    }
    let unready = Report { member: one, ready: false, length: bench.length, intent: Intent::Watch };
    let told = bench.one.tick(&bench.group, &unready).await;
    let told = told.map(|view| (view.revision > last, view.members.values().all(|known| !known.ready)));
    same(MOVES, told, Ok((true, true)))
}

pub(super) async fn a_report_without_length_is_refused<R: Registry>(
    bench: &Bench<'_, R>,
) -> Result<(), Violation> {
    const CHECK: &str = "a report of no length is refused, and changes nothing";
    let report = Report { member: member(1, 1), ready: true, length: Millis::ZERO, intent: first() };
    let refused = bench.one.tick(&bench.group, &report).await;
    same(CHECK, matches!(refused, Err(RegistryError::Invalid(_))), true)?;
    let view = bench.read(CHECK).await?;
    same(CHECK, (view.epoch, live(&view)), (Epoch(0), vec![]))
}
