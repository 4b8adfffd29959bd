use ringback_model::Millis;

use super::{Bench, Violation, member, same};
use crate::registry::{Intent, Registry};

pub(super) async fn it_is_the_registrys<R: Registry>(
    bench: &Bench<'_, R>,
    pass: &impl AsyncFn(Millis),
) -> Result<(), Violation> {
    const CHECK: &str = "every answer carries the time of the registry, which goes on and never back";
    let mut last = bench.read(CHECK).await?.at;
    for (last_octet, span) in
        [(1, Millis::ZERO), (2, Millis(bench.length.0 / 5)), (1, Millis(bench.length.0 / 5))]
    {
        pass(span).await;
        let ticked = bench.must(CHECK, &member(last_octet, 1), Intent::Watch).await?.at;
        same(CHECK, ticked >= last + span, true)?;
        let read = bench.read(CHECK).await?.at;
        same(CHECK, read >= ticked, true)?;
        last = read;
    }
    Ok(())
}
