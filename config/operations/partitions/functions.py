"""What PostgreSQL itself does on partitioned tables: make a month's, refuse a pair that was met in another month."""

# It runs with the rights of the tables' owner: web processes and workers may have a role that can change no table
# (docs/sql/roles.sql). An index of the rest that is no part of the whole table's is unique, and not by the key: each
# month gets one of its own.
ADD_MONTH = r"""
CREATE OR REPLACE FUNCTION arena_add_month(month text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '300ms' SET statement_timeout = 0 AS $$
DECLARE
    low text;
    high text;
    name text;
    own text;
    index record;
BEGIN
    IF month !~ '^[0-9][0-9](0[1-9]|1[0-2])$' THEN
        RAISE invalid_parameter_value USING MESSAGE = format('%s is no month', month);
    END IF;
    low := format('00000000-%s-0000-0000-000000000000', month);
    high := format('00000000-%s-0000-0000-000000000000', to_char(to_date(month, 'YYMM') + interval '1 month', 'YYMM'));
    FOREACH name IN ARRAY ARRAY['arena_battle', 'arena_vote'] LOOP
        own := name || '_' || month;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)',
                       own, name);
        FOR index IN
            SELECT c.relname, pg_get_indexdef(c.oid) AS definition
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = (name || '_rest')::regclass AND NOT EXISTS (
                SELECT FROM pg_inherits WHERE inhrelid = c.oid
            )
        LOOP
            EXECUTE regexp_replace(index.definition, ' INDEX .* ON \S+ USING ',
                                   format(' INDEX %I ON %I USING ', index.relname || ' ' || month, own));
        END LOOP;
    END LOOP;
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT "tokens begin with the month" CHECK (left(left_token, 4) = %L'
                   ' AND left(right_token, 4) = %L)', 'arena_battle_' || month, month, month);
    EXECUTE format('ALTER TABLE arena_battle ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   'arena_battle_' || month, low, high);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT "a vote is on a battle" FOREIGN KEY (battle_id) REFERENCES %I (id)'
                   ' DEFERRABLE INITIALLY DEFERRED', 'arena_vote_' || month, 'arena_battle_' || month);
    EXECUTE format('ALTER TABLE arena_vote ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   'arena_vote_' || month, low, high);
END $$
"""

# Two transactions at once may put a pair into two partitions, so a voter's battles are stored one after the other; this
# costs nothing, because what assigns them has locked the voter's progress already. Nobody has battles from before they
# came, but for the ballot that they came with: a month covers its lifetime. Ids without a month are above all others.
PAIR_IS_NEW = """
CREATE OR REPLACE FUNCTION arena_pair_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    since uuid := (SELECT format('00000000-%s-0000-0000-000000000000',
                                 to_char(created_at AT TIME ZONE 'UTC' - interval '1 month', 'YYMM'))
                   FROM arena_voter WHERE id = NEW.voter_id);
BEGIN
    PERFORM pg_advisory_xact_lock(1346455890, hashint8(NEW.voter_id));
    IF EXISTS (
        SELECT FROM arena_battle WHERE voter_id = NEW.voter_id AND id >= since AND id <> NEW.id
            AND least(left_id, right_id) = least(NEW.left_id, NEW.right_id)
            AND greatest(left_id, right_id) = greatest(NEW.left_id, NEW.right_id)
    ) THEN
        RAISE unique_violation USING CONSTRAINT = 'a voter meets a pair only once', TABLE = 'arena_battle',
            MESSAGE = 'a voter meets a pair only once', DETAIL = format('battle %s of voter %s', NEW.id, NEW.voter_id);
    END IF;
    RETURN NEW;
END $$
"""
ON_BATTLES = """
CREATE TRIGGER "a voter meets a pair only once" BEFORE INSERT OR UPDATE OF voter_id, left_id, right_id ON arena_battle
FOR EACH ROW EXECUTE FUNCTION arena_pair_is_new()
"""
