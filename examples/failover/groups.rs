//! Many groups, served by a few processes.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Child;
use std::time::Duration;

use futures_util::future::try_join_all;
use ringback::model::{Epoch, Group};
use ringback_examples::percentile::{ms, percentile};
use ringback_examples::stage::{Failure, PATIENCE, Stage, Store};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::cluster::{Cluster, called, caller};
use crate::figures::Round;

/// How many called lines of each group become available around the fault.
const USED: u32 = 4;

/// For so long it is counted how often the instances ask for their leases.
const COUNTED: Duration = Duration::from_secs(10);

/// How many of what there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) groups: u16,
    pub(crate) instances: u8,
    pub(crate) candidates: u8,
    /// Requests of each group.
    pub(crate) pending: u32,
}

impl Plan {
    fn address(number: u8) -> IpAddr {
        Ipv4Addr::new(127, 0, 0, number + 1).into()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        (0..self.instances).map(Self::address).collect()
    }

    /// Those who may serve this group, the lowest first.
    fn candidates(&self, group: u16) -> Vec<IpAddr> {
        let all = self.addresses();
        let mut candidates: Vec<IpAddr> = all
            .iter()
            .cycle()
            .skip(usize::from(group) % all.len())
            .take(self.candidates.into())
            .copied()
            .collect();
        candidates.sort_unstable();
        candidates
    }
}

/// The processes, and the call managers that they serve.
pub(crate) struct Groups {
    plan: Plan,
    stage: Stage,
    _folder: TempDir,
    clusters: Vec<(Cluster, Vec<IpAddr>)>,
    instances: BTreeMap<IpAddr, Child>,
}

/// How many groups each instance serves.
pub(crate) struct Spread(BTreeMap<IpAddr, usize>);

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let served: Vec<String> =
            self.0.iter().map(|(address, groups)| format!("{address} serves {groups}")).collect();
        f.write_str(&served.join(", "))
    }
}

/// One round: each group that the killed one served.
pub(crate) struct Killed {
    address: IpAddr,
    spread: Spread,
    pub(crate) take_overs: Vec<Round>,
}

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&Round) -> u32| self.take_overs.iter().map(of).sum::<u32>();
        let last = |of: fn(&Round) -> Duration| ms(self.take_overs.iter().map(of).max().unwrap_or_default());
        write!(
            f,
            "{} groups of {}, then {}: lost {}, doubled {}, first p50 {:.1} ms, of the last group {:.1} ms, all {:.1} ms",
            self.take_overs.len(),
            self.address,
            self.spread,
            sum(|round| round.lost),
            sum(|round| round.doubled),
            percentile(50, self.take_overs.iter().map(|round| round.first)),
            last(|round| round.first),
            last(|round| round.all),
        )
    }
}

impl Groups {
    /// All instances run, each group is served by the lowest of its candidates, and has its requests.
    pub(crate) async fn start(plan: Plan, store: &Store) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let mut stage = Stage::set_up(folder.path(), store, None).await?;
        let mut clusters = Vec::new();
        for number in 0..plan.groups {
            let group = Group::new(format!("cluster-{number}"))?;
            let candidates = plan.candidates(number);
            let call_manager = stage.add_group(group.clone(), candidates.clone()).await?;
            for number in 0..plan.pending {
                for (device, line) in [caller(number)?, called(number)?] {
                    stage.add_phone_in(&group, &call_manager, device, line).await?;
                }
            }
            let cluster = Cluster::new(group, call_manager, stage.database.clone(), plan.pending);
            clusters.push((cluster, candidates));
        }
        let mut site = Self { plan, stage, _folder: folder, clusters, instances: BTreeMap::new() };
        for address in plan.addresses() {
            site.run(address)?;
        }
        site.settled(None).await?;
        let all: Vec<u32> = (0..plan.pending).collect();
        try_join_all(site.clusters.iter().map(|(cluster, _)| cluster.activate(&all))).await?;
        try_join_all(site.clusters.iter().map(|(cluster, _)| cluster.office_after(Epoch(0)))).await?;
        Ok(site)
    }

    fn run(&mut self, address: IpAddr) -> Result<(), Failure> {
        let child = self.stage.instance(address)?.spawn()?;
        self.instances.insert(address, child);
        Ok(())
    }

    /// Waits until each group is served by the lowest of its candidates but this one.
    async fn settled(&self, without: Option<IpAddr>) -> Result<(), Failure> {
        let settled = async {
            for (cluster, candidates) in &self.clusters {
                let lowest = candidates.iter().find(|candidate| Some(**candidate) != without);
                while cluster.active().await?.map(|(address, _)| address) != lowest.copied() {
                    sleep(Duration::from_millis(20)).await;
                }
            }
            Ok(())
        };
        timeout(PATIENCE, settled)
            .await
            .map_err(|_| "the groups were not spread as their candidates demand")?
    }

    /// Who serves how many groups.
    pub(crate) async fn spread(&self) -> Result<Spread, Failure> {
        let mut spread: BTreeMap<IpAddr, usize> =
            self.plan.addresses().into_iter().map(|address| (address, 0)).collect();
        for (cluster, _) in &self.clusters {
            if let Some((address, _)) = cluster.active().await? {
                *spread.entry(address).or_default() += 1;
            }
        }
        Ok(Spread(spread))
    }

    /// How often the instances ask for their leases.
    pub(crate) async fn lease_queries(&self) -> Result<String, Failure> {
        let Some(witness) = self.stage.witness() else {
            return Ok("lease queries: only a PostgreSQL that is started for this counts them".to_owned());
        };
        let [before, reports_before] = witness.lease_calls()?;
        sleep(COUNTED).await;
        let [queries, reports] = witness.lease_calls()?;
        let rate = |after: u64, before: u64| {
            Duration::from_secs(after.saturating_sub(before)).as_secs_f64() / COUNTED.as_secs_f64()
        };
        let instances = f64::from(self.plan.instances);
        let rates = (rate(queries, before), rate(reports, reports_before));
        Ok(format!(
            "lease queries per second: {:.1} of each instance, {:.1} in all, for {:.1} reports of groups",
            rates.0 / instances,
            rates.0,
            rates.1
        ))
    }

    /// Kills the instance that serves most groups, between lines that become available in every group.
    pub(crate) async fn play(&mut self, number: u32) -> Result<Killed, Failure> {
        let pending = self.plan.pending;
        let first = number * USED % pending;
        let used: Vec<u32> = (first..first + USED).map(|number| number % pending).collect();
        let prepared = self.clusters.iter().map(|(cluster, _)| cluster.prepare(used.clone()));
        let trials = try_join_all(prepared).await?;
        let victim = self.busiest().await?;
        let (before, after) = used.split_at(used.len() / 2);
        self.replace(before)?;
        let struck = Instant::now();
        let mut child = self.instances.remove(&victim).ok_or("the instance does not run")?;
        child.kill()?;
        child.wait()?;
        self.replace(after)?;

        let hit = self.clusters.iter().zip(&trials).filter(|((_, candidates), _)| candidates[0] == victim);
        let offices =
            try_join_all(hit.map(|((cluster, _), trial)| cluster.office_after(trial.epoch))).await?;
        self.settled(Some(victim)).await?;
        let spread = self.spread().await?;
        let all = self.clusters.iter().zip(&trials);
        let lost = try_join_all(all.map(|((cluster, _), trial)| cluster.lost(trial))).await?;

        // The victim is back, and serves again what it did.
        self.run(victim)?;
        self.settled(None).await?;
        let epochs = self.clusters.iter().map(|(cluster, candidates)| cluster.acts(candidates[0]));
        try_join_all(epochs).await?;
        let mut offices = offices.into_iter();
        let mut take_overs = Vec::new();
        for (((cluster, candidates), trial), lost) in self.clusters.iter().zip(&trials).zip(lost) {
            let doubled = cluster.played_again(trial);
            cluster.renew(trial).await?;
            let (in_doubt, escaped) = cluster.offices.take_counts();
            let office = if candidates[0] == victim { offices.next() } else { None };
            match office {
                Some(office) => take_overs.push(Round {
                    lost,
                    doubled,
                    in_doubt,
                    escaped,
                    held: false,
                    first: office.began.saturating_duration_since(struck),
                    all: office.all_open.saturating_duration_since(struck),
                }),
                // Nothing was to happen to the others.
                None if (lost, doubled, escaped) != (0, 0, 0) => {
                    return Err(format!("a group of another instance: lost {lost}, doubled {doubled}").into());
                }
                None => {}
            }
        }
        Ok(Killed { address: victim, spread, take_overs })
    }

    fn replace(&self, numbers: &[u32]) -> Result<(), Failure> {
        for (cluster, _) in &self.clusters {
            numbers.iter().try_for_each(|number| cluster.replaces(*number))?;
        }
        Ok(())
    }

    async fn busiest(&self) -> Result<IpAddr, Failure> {
        let Spread(spread) = self.spread().await?;
        let busiest =
            spread.into_iter().max_by_key(|(address, groups)| (*groups, std::cmp::Reverse(*address)));
        busiest.map(|(address, _)| address).ok_or_else(|| "there are no instances".into())
    }

    /// Ends the instances.
    pub(crate) fn stop(&mut self) -> Result<(), Failure> {
        for mut child in std::mem::take(&mut self.instances).into_values() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        // Started here; an error means that they have ended.
        let _ = self.stop();
    }
}
