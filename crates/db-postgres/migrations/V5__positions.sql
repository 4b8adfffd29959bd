-- Whoever writes requests is told where they stand then, so that it notices when the server has lost some of them: a standby
-- took the server's place to which not everything had been copied, or an older backup was restored.

-- What a function returns cannot be changed. Who called it by this name before goes on doing so.
ALTER FUNCTION store_apply(text, bigint, jsonb, jsonb) RENAME TO store_write;

-- As before, and gives the revision and its mark; none if nothing was to be written.
CREATE FUNCTION store_apply(this_group text, ours bigint, gone jsonb, kept jsonb,
    OUT refusal text, OUT current bigint, OUT revision bigint, OUT mark bigint)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT written.refusal, written.current INTO refusal, current
    FROM store_write(this_group, ours, gone, kept) AS written;
    IF refusal IS NULL AND jsonb_array_length(gone) + jsonb_array_length(kept) > 0 THEN
        -- The row is locked until the commit.
        SELECT e.revision, e.mark INTO revision, mark FROM epoch AS e WHERE group_name = this_group;
    END IF;
END
$$;
