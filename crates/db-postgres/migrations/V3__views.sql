-- For a person with psql: who is live, who acts, what is pending. Times are shown in the time zone of the session.

CREATE VIEW ringback_status AS
SELECT g.group_name,
       rank() OVER (PARTITION BY g.group_name ORDER BY m.address) AS rank,
       host(m.address)                                            AS instance,
       m.incarnation,
       CASE
           WHEN m.address IS NULL THEN 'nobody is live'
           WHEN m.until_ms <= n.now THEN 'silent'
           WHEN g.lease_address = m.address AND g.lease_incarnation = m.incarnation AND g.lease_expires_ms > n.now
               THEN 'active'
           WHEN m.ready THEN 'backup'
           ELSE 'not ready'
       END                                                        AS state,
       to_timestamp(m.started_ms / 1000.0)                        AS started,
       to_timestamp(m.joined_ms / 1000.0)                         AS joined,
       to_timestamp(m.until_ms / 1000.0)                          AS live_until,
       g.epoch,
       host(g.lease_address)                                      AS last_lease_of,
       to_timestamp(g.lease_granted_ms / 1000.0)                  AS granted,
       to_timestamp(g.lease_expires_ms / 1000.0)                  AS expires,
       g.lease_expires_ms > n.now                                 AS in_force,
       g.lease_released                                           AS given_back
FROM (SELECT ringback_now() AS now) AS n
CROSS JOIN registry_group AS g
LEFT JOIN registry_member AS m ON m.group_name = g.group_name
ORDER BY g.group_name, m.address;

CREATE VIEW ringback_pending AS
SELECT group_name,
       id_epoch || '-' || id_number             AS id,
       caller_device                            AS caller,
       caller_partition || '/' || caller_dn     AS from_line,
       called_partition || '/' || called_dn     AS waits_for,
       kind,
       phase,
       cycle,
       alerts,
       to_timestamp(since_ms / 1000.0)          AS since,
       to_timestamp(expires_ms / 1000.0)        AS expires,
       to_timestamp(turn_until_ms / 1000.0)     AS turn_until,
       to_timestamp(notified_ms / 1000.0)       AS notified
FROM request
ORDER BY group_name, called_partition, called_dn, since_ms, id_epoch, id_number;
