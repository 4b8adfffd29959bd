//! What a PostgreSQL that was started for a measurement has seen of the instances.

use ringback_postgres_lab::Server;

use crate::stage::Failure;

/// Notes every write of requests, in the order in which they were accepted: in which epoch, and by which process.
const WATCH: &str = "
    CREATE TABLE witness (seq bigserial, group_name text, epoch bigint, process text);
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO witness (group_name, epoch, process)
        SELECT group_name, epoch, coalesce(current_setting('ringback.process', true), '') FROM epoch
        WHERE group_name IN (SELECT group_name FROM written);
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER witness AFTER INSERT ON request_log REFERENCING NEW TABLE AS written
        FOR EACH STATEMENT EXECUTE FUNCTION witness()";

/// A write is late if another process had written in its epoch before, or anybody in a later one.
const WRITES: &str = "
    SELECT count(*), count(*) FILTER (WHERE is_late) FROM (
        SELECT epoch < max(epoch) OVER (PARTITION BY group_name ORDER BY seq)
            OR process <> first_value(process) OVER (PARTITION BY group_name, epoch ORDER BY seq) AS is_late
        FROM witness) AS seen";

/// The server and the database of the measurement.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'a> {
    pub(crate) server: &'a Server,
    pub(crate) database: &'a str,
}

/// Writes of requests that the store accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writes {
    /// All of them.
    pub all: u64,
    /// Those of an instance that had been replaced.
    pub late: u64,
}

impl Witness<'_> {
    /// How often instances have asked the registry, and for how many groups they have reported in that.
    ///
    /// # Errors
    /// The server does not tell.
    pub fn lease_calls(&self) -> Result<[u64; 2], Failure> {
        let calls = |function: &str| -> Result<u64, Failure> {
            let query = "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname =";
            Ok(self.server.sql(self.database, &format!("{query} '{function}'"))?.trim().parse()?)
        };
        Ok([calls("registry_calls")?, calls("registry_call")?])
    }

    /// From now on writes of requests are watched.
    ///
    /// # Errors
    /// What the server says.
    pub fn watch_writes(&self) -> Result<(), Failure> {
        self.server.sql(self.database, WATCH)?;
        Ok(())
    }

    /// What has been written since.
    ///
    /// # Errors
    /// They are not watched, or the server does not tell.
    pub fn writes(&self) -> Result<Writes, Failure> {
        let said = self.server.sql(self.database, WRITES)?;
        let (all, late) = said.trim().split_once('|').ok_or("the server gave no two numbers")?;
        Ok(Writes { all: all.parse()?, late: late.parse()? })
    }
}
