SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
COMMENT ON EXTENSION vector IS 'vector data type and ivfflat and hnsw access methods';
CREATE FUNCTION public.ensure_event_partition(month date) RETURNS void
    LANGUAGE plpgsql
    AS $$
    DECLARE
        partition text := 'events_' || to_char(month, 'YYYY_MM');
    BEGIN
        IF to_regclass(partition) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('ensure_event_partition'));
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
                partition, month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00');
        END IF;
    END $$;
CREATE FUNCTION public.item_words(title text, brand text, category text, description text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT setweight(to_tsvector('pg_catalog.english', regexp_replace(normalize(coalesce(title, ''), NFKC), '([\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])', ' \1 ', 'g')), 'A')
            || setweight(to_tsvector('pg_catalog.english',
                regexp_replace(normalize(concat_ws(' ; ', brand, category), NFKC), '([\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])', ' \1 ', 'g')), 'B')
            || setweight(to_tsvector('pg_catalog.english', regexp_replace(normalize(left(description, 1000), NFKC), '([\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])', ' \1 ', 'g')), 'D')
    $$;
CREATE FUNCTION public.query_words(query text, pieces boolean) RETURNS SETOF tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT words
        FROM regexp_matches(normalize(query, NFKC), '[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[^\s\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+', 'g') AS part,
            generate_series(1, CASE WHEN pieces AND part[1] ~ '[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]' THEN greatest(length(part[1]) - 1, 1)
                ELSE 1 END) AS start,
            phraseto_tsquery('pg_catalog.english', regexp_replace(
                CASE WHEN pieces AND part[1] ~ '[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]' THEN substr(part[1], start, 2) ELSE part[1] END,
                '([\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])', ' \1 ', 'g')) AS words
        WHERE numnode(words) > 0
    $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.actors (
    shopper text NOT NULL,
    flagged boolean NOT NULL,
    reasons text[] NOT NULL,
    detail text NOT NULL,
    flagged_by text NOT NULL,
    flagged_at timestamp with time zone DEFAULT now() NOT NULL,
    cleared_by text,
    cleared_at timestamp with time zone,
    spared_until timestamp with time zone,
    changes bigint DEFAULT 1 NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.change_ids (
    change_id text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.dead_letters (
    id bigint NOT NULL,
    source text NOT NULL,
    key text,
    field text,
    error text NOT NULL,
    payload text,
    attempts integer DEFAULT 1 NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.dead_letters ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letters_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.drift_measurements (
    id bigint NOT NULL,
    version text NOT NULL,
    measured_at timestamp with time zone DEFAULT now() NOT NULL,
    window_start timestamp with time zone NOT NULL,
    window_end timestamp with time zone NOT NULL,
    figures jsonb NOT NULL,
    reference jsonb,
    alert text
);
ALTER TABLE public.drift_measurements ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.drift_measurements_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE SEQUENCE public.due_marks
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.due (
    kind text NOT NULL,
    key text NOT NULL,
    mark bigint DEFAULT nextval('public.due_marks'::regclass) NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    claimed_until timestamp with time zone,
    later boolean DEFAULT false NOT NULL
)
WITH (fillfactor='70');
CREATE TABLE public.event_ids (
    event_id text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.events (
    event_id text NOT NULL,
    shopper text NOT NULL,
    kind text NOT NULL,
    item_id text,
    at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    value double precision,
    quantity double precision DEFAULT 1 NOT NULL,
    session_id text,
    surface text,
    request_id text,
    query text,
    basket text GENERATED ALWAYS AS (
CASE
    WHEN (kind = 'purchase'::text) THEN COALESCE(session_id, shopper)
    ELSE NULL::text
END) STORED,
    rank integer
)
PARTITION BY RANGE (at);
CREATE TABLE public.events_2026_02 (
    event_id text CONSTRAINT events_event_id_not_null NOT NULL,
    shopper text CONSTRAINT events_shopper_not_null NOT NULL,
    kind text CONSTRAINT events_kind_not_null NOT NULL,
    item_id text,
    at timestamp with time zone CONSTRAINT events_at_not_null NOT NULL,
    received_at timestamp with time zone DEFAULT now() CONSTRAINT events_received_at_not_null NOT NULL,
    value double precision,
    quantity double precision DEFAULT 1 CONSTRAINT events_quantity_not_null NOT NULL,
    session_id text,
    surface text,
    request_id text,
    query text,
    basket text GENERATED ALWAYS AS (
CASE
    WHEN (kind = 'purchase'::text) THEN COALESCE(session_id, shopper)
    ELSE NULL::text
END) STORED,
    rank integer
);
CREATE TABLE public.events_2026_03 (
    event_id text CONSTRAINT events_event_id_not_null NOT NULL,
    shopper text CONSTRAINT events_shopper_not_null NOT NULL,
    kind text CONSTRAINT events_kind_not_null NOT NULL,
    item_id text,
    at timestamp with time zone CONSTRAINT events_at_not_null NOT NULL,
    received_at timestamp with time zone DEFAULT now() CONSTRAINT events_received_at_not_null NOT NULL,
    value double precision,
    quantity double precision DEFAULT 1 CONSTRAINT events_quantity_not_null NOT NULL,
    session_id text,
    surface text,
    request_id text,
    query text,
    basket text GENERATED ALWAYS AS (
CASE
    WHEN (kind = 'purchase'::text) THEN COALESCE(session_id, shopper)
    ELSE NULL::text
END) STORED,
    rank integer
);
CREATE TABLE public.experiments (
    name text NOT NULL,
    salt text NOT NULL,
    surface text NOT NULL,
    arms jsonb NOT NULL,
    canary boolean NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    stopped_at timestamp with time zone,
    stopped_because text
);
CREATE TABLE public.intake_counts (
    writer text NOT NULL,
    door text NOT NULL,
    written bigint DEFAULT 0 NOT NULL,
    duplicates bigint DEFAULT 0 NOT NULL,
    rejected bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.item_vectors (
    model_version text NOT NULL,
    item_id text NOT NULL,
    embedding public.vector NOT NULL
);
CREATE TABLE public.items (
    item_id text NOT NULL,
    item_no bigint NOT NULL,
    title text,
    text text DEFAULT ''::text NOT NULL,
    category text,
    brand text,
    price double precision,
    currency text,
    stock bigint,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    image_url text,
    announced_at timestamp with time zone,
    deleted_at timestamp with time zone,
    stamps jsonb DEFAULT '{}'::jsonb NOT NULL,
    available boolean GENERATED ALWAYS AS (((title IS NOT NULL) AND (deleted_at IS NULL) AND (COALESCE(stock, (1)::bigint) > 0))) STORED NOT NULL,
    changed_xid bigint NOT NULL,
    words tsvector GENERATED ALWAYS AS (public.item_words(title, brand, category, text)) STORED NOT NULL
);
ALTER TABLE public.items ALTER COLUMN item_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.items_item_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.live_models (
    capability text NOT NULL,
    version text NOT NULL,
    switched_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.model_switches (
    id bigint NOT NULL,
    capability text NOT NULL,
    version text NOT NULL,
    previous text,
    at timestamp with time zone DEFAULT now() NOT NULL,
    why text NOT NULL
);
ALTER TABLE public.model_switches ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.model_switches_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.model_versions (
    version text NOT NULL,
    capability text NOT NULL,
    parent text,
    config jsonb NOT NULL,
    metrics jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    learnt_through timestamp with time zone,
    learnt_from timestamp with time zone,
    how text DEFAULT 'full'::text NOT NULL,
    digest text,
    code text,
    gate jsonb,
    forgotten_at timestamp with time zone
);
CREATE TABLE public.order_labels (
    label_id text NOT NULL,
    order_id text NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.order_messages (
    order_id text NOT NULL,
    message jsonb NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE SEQUENCE public.order_places
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.orders (
    order_id text NOT NULL,
    at bigint NOT NULL,
    tie bigint NOT NULL,
    customer bigint NOT NULL,
    terminal bigint DEFAULT 0 NOT NULL,
    payment bigint DEFAULT 0 NOT NULL,
    device bigint DEFAULT 0 NOT NULL,
    ip bigint DEFAULT 0 NOT NULL,
    address bigint DEFAULT 0 NOT NULL,
    country bigint DEFAULT 0 NOT NULL,
    cents bigint NOT NULL,
    place bigint DEFAULT 0 NOT NULL,
    odd double precision DEFAULT 1 NOT NULL,
    fraud_at bigint,
    label text
)
WITH (fillfactor='85');
CREATE TABLE public.rankings (
    owner text NOT NULL,
    surface text NOT NULL,
    scores real[] NOT NULL,
    model_version text NOT NULL,
    generated_at timestamp with time zone DEFAULT now() NOT NULL,
    through timestamp with time zone,
    mark bigint DEFAULT 0 NOT NULL,
    because_kinds text[],
    counted_by text,
    item_nos integer[] NOT NULL,
    because_nos integer[]
)
WITH (fillfactor='50');
ALTER TABLE ONLY public.rankings ALTER COLUMN scores SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.rankings ALTER COLUMN item_nos SET STORAGE EXTERNAL;
CREATE TABLE public.reviews (
    order_id text NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    why text NOT NULL,
    taken_by text,
    taken_at timestamp with time zone,
    decision text,
    decided_by text,
    decided_at timestamp with time zone,
    note text
);
CREATE TABLE public.rule_activations (
    id bigint NOT NULL,
    version text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.rule_activations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rule_activations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.rule_sets (
    version text NOT NULL,
    content jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.screening_log (
    id bigint NOT NULL,
    order_id text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    what text NOT NULL,
    detail jsonb NOT NULL
);
ALTER TABLE public.screening_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.screening_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.screenings (
    order_id text NOT NULL,
    decision text NOT NULL,
    by text NOT NULL,
    why text,
    probability double precision,
    reasons jsonb NOT NULL,
    facts jsonb NOT NULL,
    rules_version text NOT NULL,
    model_version text,
    features double precision[],
    decided_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.search_answers (
    key text NOT NULL,
    question jsonb NOT NULL,
    shopper text,
    item_nos bigint[],
    scores real[],
    total bigint DEFAULT 0 NOT NULL,
    facets jsonb,
    meant text,
    source text,
    why jsonb,
    model_version text,
    terms text[] DEFAULT '{}'::text[] NOT NULL,
    horizon bigint DEFAULT 0 NOT NULL,
    through timestamp with time zone,
    personal boolean DEFAULT false NOT NULL,
    generated_at timestamp with time zone,
    stale_since timestamp with time zone,
    times bigint DEFAULT 1 NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE public.shopper_traits (
    shopper text NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.suggestions (
    key text NOT NULL,
    phrase text NOT NULL,
    weight real NOT NULL
);
CREATE TABLE public.transitions (
    from_item text NOT NULL,
    to_item text NOT NULL,
    count real NOT NULL,
    changed_xid bigint NOT NULL
);
CREATE TABLE public.version_health (
    version text NOT NULL,
    minute timestamp with time zone NOT NULL,
    batches bigint NOT NULL,
    failures bigint NOT NULL,
    seconds double precision NOT NULL
);
CREATE TABLE public.watermarks (
    name text NOT NULL,
    value text NOT NULL
);
ALTER TABLE ONLY public.events ATTACH PARTITION public.events_2026_02 FOR VALUES FROM ('2026-02-01 00:00:00+00') TO ('2026-03-01 00:00:00+00');
ALTER TABLE ONLY public.events ATTACH PARTITION public.events_2026_03 FOR VALUES FROM ('2026-03-01 00:00:00+00') TO ('2026-04-01 00:00:00+00');
INSERT INTO public.actors VALUES
	('u7', true, '{"by hand"}', 'a test', 'command', '2026-12-01 00:34:55.081394+00', NULL, NULL, NULL, 1);
INSERT INTO public.alembic_version VALUES
	('0015');
INSERT INTO public.change_ids VALUES
	('announce-0', '2026-01-01 00:00:00+00'),
	('announce-1', '2026-01-01 00:00:00+00'),
	('announce-10', '2026-01-01 00:00:00+00'),
	('announce-11', '2026-01-01 00:00:00+00'),
	('announce-12', '2026-01-01 00:00:00+00'),
	('announce-13', '2026-01-01 00:00:00+00'),
	('announce-14', '2026-01-01 00:00:00+00'),
	('announce-15', '2026-01-01 00:00:00+00'),
	('announce-2', '2026-01-01 00:00:00+00'),
	('announce-3', '2026-01-01 00:00:00+00'),
	('announce-4', '2026-01-01 00:00:00+00'),
	('announce-5', '2026-01-01 00:00:00+00'),
	('announce-6', '2026-01-01 00:00:00+00'),
	('announce-7', '2026-01-01 00:00:00+00'),
	('announce-8', '2026-01-01 00:00:00+00'),
	('announce-9', '2026-01-01 00:00:00+00'),
	('announce-100', '2026-01-01 00:00:00+00');
INSERT INTO public.dead_letters OVERRIDING SYSTEM VALUE VALUES
	(1, 'events', 'bad', 'kind', 'Invalid enum value ''viewed''', '{"event_id": "bad", "kind": "viewed", "user_id": "u0", "item_id": "item-3", "at": "2026-03-01T09:00:00Z"}', 1, '2026-12-01 00:35:00.039791+00');
INSERT INTO public.due VALUES
	('reason', 'u0', 106, '2026-12-01 00:35:00.831595+00', 0, NULL, false),
	('reason', 'u1', 107, '2026-12-01 00:35:00.831595+00', 0, NULL, false),
	('reason', 'u2', 108, '2026-12-01 00:35:00.831595+00', 0, NULL, false),
	('reason', 'u3', 109, '2026-12-01 00:35:00.831595+00', 0, NULL, false),
	('reason', 'u4', 110, '2026-12-01 00:35:00.831595+00', 0, NULL, false),
	('reason', 'u5', 111, '2026-12-01 00:35:00.831595+00', 0, NULL, false),
	('reason', 'u6', 112, '2026-12-01 00:35:00.831595+00', 0, NULL, false),
	('reason', 'u7', 113, '2026-12-01 00:35:00.831595+00', 0, NULL, false),
	('shopper', 'u1', 119, '2026-12-01 01:35:04.603631+00', 0, NULL, false),
	('shopper', 'u20', 120, '2026-12-01 01:35:04.603631+00', 0, NULL, false),
	('item', 'item-100', 121, '2026-12-01 00:35:04.620367+00', 0, NULL, false),
	('order', 'left', 122, '2026-12-01 00:35:04.686933+00', 0, NULL, false);
INSERT INTO public.event_ids VALUES
	('past-0-0', '2026-02-01 00:00:00+00'),
	('past-0-1', '2026-02-01 08:00:00+00'),
	('past-0-2', '2026-02-01 16:00:00+00'),
	('past-0-3', '2026-02-02 00:00:00+00'),
	('past-0-4', '2026-02-02 08:00:00+00'),
	('past-1-0', '2026-02-01 00:00:01+00'),
	('past-1-1', '2026-02-01 08:00:01+00'),
	('past-1-2', '2026-02-01 16:00:01+00'),
	('past-1-3', '2026-02-02 00:00:01+00'),
	('past-1-4', '2026-02-02 08:00:01+00'),
	('past-2-0', '2026-02-01 00:00:02+00'),
	('past-2-1', '2026-02-01 08:00:02+00'),
	('past-2-2', '2026-02-01 16:00:02+00'),
	('past-2-3', '2026-02-02 00:00:02+00'),
	('past-2-4', '2026-02-02 08:00:02+00'),
	('past-3-0', '2026-02-01 00:00:03+00'),
	('past-3-1', '2026-02-01 08:00:03+00'),
	('past-3-2', '2026-02-01 16:00:03+00'),
	('past-3-3', '2026-02-02 00:00:03+00'),
	('past-3-4', '2026-02-02 08:00:03+00'),
	('past-4-0', '2026-02-01 00:00:04+00'),
	('past-4-1', '2026-02-01 08:00:04+00'),
	('past-4-2', '2026-02-01 16:00:04+00'),
	('past-4-3', '2026-02-02 00:00:04+00'),
	('past-4-4', '2026-02-02 08:00:04+00'),
	('past-5-0', '2026-02-01 00:00:05+00'),
	('past-5-1', '2026-02-01 08:00:05+00'),
	('past-5-2', '2026-02-01 16:00:05+00'),
	('past-5-3', '2026-02-02 00:00:05+00'),
	('past-5-4', '2026-02-02 08:00:05+00'),
	('past-6-0', '2026-02-01 00:00:06+00'),
	('past-6-1', '2026-02-01 08:00:06+00'),
	('past-6-2', '2026-02-01 16:00:06+00'),
	('past-6-3', '2026-02-02 00:00:06+00'),
	('past-6-4', '2026-02-02 08:00:06+00'),
	('past-7-0', '2026-02-01 00:00:07+00'),
	('past-7-1', '2026-02-01 08:00:07+00'),
	('past-7-2', '2026-02-01 16:00:07+00'),
	('past-7-3', '2026-02-02 00:00:07+00'),
	('past-7-4', '2026-02-02 08:00:07+00'),
	('since-0', '2026-03-01 00:00:00+00'),
	('since-1', '2026-03-01 01:00:00+00'),
	('since-2', '2026-03-01 02:00:00+00'),
	('since-3', '2026-03-01 03:00:00+00'),
	('left-1', '2026-03-01 09:00:00+00'),
	('left-2', '2026-03-01 09:00:00+00');
INSERT INTO public.events_2026_02 VALUES
	('past-0-0', 'u0', 'view', 'item-12', '2026-02-01 00:00:00+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-1-0', 'u1', 'view', 'item-13', '2026-02-01 00:00:01+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-2-0', 'u2', 'view', 'item-2', '2026-02-01 00:00:02+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-3-0', 'u3', 'view', 'item-11', '2026-02-01 00:00:03+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-4-0', 'u4', 'view', 'item-12', '2026-02-01 00:00:04+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-5-0', 'u5', 'view', 'item-13', '2026-02-01 00:00:05+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-6-0', 'u6', 'view', 'item-10', '2026-02-01 00:00:06+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-7-0', 'u7', 'view', 'item-15', '2026-02-01 00:00:07+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-0-1', 'u0', 'click', 'item-8', '2026-02-01 08:00:00+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-1-1', 'u1', 'click', 'item-5', '2026-02-01 08:00:01+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-2-1', 'u2', 'click', 'item-6', '2026-02-01 08:00:02+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-3-1', 'u3', 'click', 'item-11', '2026-02-01 08:00:03+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-4-1', 'u4', 'click', 'item-4', '2026-02-01 08:00:04+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-5-1', 'u5', 'click', 'item-1', '2026-02-01 08:00:05+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-6-1', 'u6', 'click', 'item-10', '2026-02-01 08:00:06+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-7-1', 'u7', 'click', 'item-7', '2026-02-01 08:00:07+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-0-2', 'u0', 'purchase', 'item-8', '2026-02-01 16:00:00+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-1-2', 'u1', 'purchase', 'item-1', '2026-02-01 16:00:01+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-2-2', 'u2', 'purchase', 'item-2', '2026-02-01 16:00:02+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-3-2', 'u3', 'purchase', 'item-11', '2026-02-01 16:00:03+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-4-2', 'u4', 'purchase', 'item-12', '2026-02-01 16:00:04+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-5-2', 'u5', 'purchase', 'item-1', '2026-02-01 16:00:05+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-6-2', 'u6', 'purchase', 'item-10', '2026-02-01 16:00:06+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-7-2', 'u7', 'purchase', 'item-15', '2026-02-01 16:00:07+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-0-3', 'u0', 'view', 'item-8', '2026-02-02 00:00:00+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-1-3', 'u1', 'view', 'item-5', '2026-02-02 00:00:01+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-2-3', 'u2', 'view', 'item-14', '2026-02-02 00:00:02+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-3-3', 'u3', 'view', 'item-15', '2026-02-02 00:00:03+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-4-3', 'u4', 'view', 'item-8', '2026-02-02 00:00:04+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-5-3', 'u5', 'view', 'item-1', '2026-02-02 00:00:05+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-6-3', 'u6', 'view', 'item-2', '2026-02-02 00:00:06+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-7-3', 'u7', 'view', 'item-3', '2026-02-02 00:00:07+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-0-4', 'u0', 'click', 'item-12', '2026-02-02 08:00:00+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-1-4', 'u1', 'click', 'item-1', '2026-02-02 08:00:01+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-2-4', 'u2', 'click', 'item-14', '2026-02-02 08:00:02+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-3-4', 'u3', 'click', 'item-11', '2026-02-02 08:00:03+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-4-4', 'u4', 'click', 'item-4', '2026-02-02 08:00:04+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-5-4', 'u5', 'click', 'item-9', '2026-02-02 08:00:05+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-6-4', 'u6', 'click', 'item-2', '2026-02-02 08:00:06+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('past-7-4', 'u7', 'click', 'item-7', '2026-02-02 08:00:07+00', '2026-12-01 00:33:43.814659+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL);
INSERT INTO public.events_2026_03 VALUES
	('since-0', 'u0', 'click', 'item-4', '2026-03-01 00:00:00+00', '2026-12-01 00:35:00.039791+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('since-1', 'u1', 'click', 'item-5', '2026-03-01 01:00:00+00', '2026-12-01 00:35:00.039791+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('since-2', 'u2', 'click', 'item-6', '2026-03-01 02:00:00+00', '2026-12-01 00:35:00.039791+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('since-3', 'u3', 'click', 'item-7', '2026-03-01 03:00:00+00', '2026-12-01 00:35:00.039791+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('left-1', 'u1', 'click', 'item-5', '2026-03-01 09:00:00+00', '2026-12-01 00:35:04.603631+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL),
	('left-2', 'u20', 'click', 'item-6', '2026-03-01 09:00:00+00', '2026-12-01 00:35:04.603631+00', NULL, 1, NULL, NULL, NULL, NULL, DEFAULT, NULL);
INSERT INTO public.experiments VALUES
	('layout', 'layout', 'home', '[{"name": "control", "share": 0.5, "treatment": "live"}, {"name": "popular", "share": 0.5, "treatment": "popular"}]', false, '2026-12-01 00:34:52.202318+00', NULL, NULL);
INSERT INTO public.intake_counts VALUES
	('shop:11979', 'catalogue', 16, 0, 0),
	('shop:11979', 'events', 44, 0, 1),
	('shop:11984:3', 'labels', 1, 0, 0),
	('shop:11984:3', 'events', 2, 0, 0),
	('shop:11984:3', 'catalogue', 1, 0, 0);
INSERT INTO public.item_vectors VALUES
	('recommend-20261201T003441-2571bf', 'item-0', '[-0.21372204,0.10367503,0.221927,-0.053047393,0.050430812,-0.08758543,0.014614393,-0.0044104396,-0.048601076,0.032220177,-0.15170048,0.13283661,0.032587677,-0.011648863,0.16955857,0.08405046]'),
	('recommend-20261201T003441-2571bf', 'item-1', '[0.02305298,-0.13608404,-0.019690625,0.23903061,-0.089547746,-0.054444678,0.15877184,0.067301124,0.0627859,0.075495444,-0.018031906,0.054387446,-0.097412296,-0.08927148,0.24942577,0.05597804]'),
	('recommend-20261201T003441-2571bf', 'item-10', '[-0.13540217,0.20791414,0.076455094,-0.011222401,0.047746494,0.048215024,-0.12500632,0.18774997,0.1139833,0.13266814,-0.080003865,0.20112832,0.094272144,-0.12655382,0.10313784,-0.24160852]'),
	('recommend-20261201T003441-2571bf', 'item-11', '[0.16629097,-0.10228489,-0.067870475,0.109027475,-0.1530411,-0.063195884,0.17681281,0.10001272,-0.14718667,-0.14632826,-0.07294171,0.0715675,0.11240422,-0.034836173,-0.08525969,0.12795988]'),
	('recommend-20261201T003441-2571bf', 'item-12', '[-0.40135616,0.09026921,0.23753488,0.13522092,-0.13143188,-0.059074305,-0.07120109,-0.08425892,-0.041311435,0.16661921,-0.19701815,0.122572236,0.01796378,0.09184056,0.09110712,0.11395447]'),
	('recommend-20261201T003441-2571bf', 'item-13', '[-0.0687441,0.0017973529,-0.11628719,0.039364465,0.016429394,0.08888664,-0.016206112,0.13193603,0.089269236,0.19468136,-0.12170641,-0.04669875,0.017467057,-0.039990906,0.20533638,-0.026993636]'),
	('recommend-20261201T003441-2571bf', 'item-14', '[-0.28280488,0.118140794,-0.11747052,-0.07959564,-0.15260912,0.00797276,-0.17298758,0.24011938,-0.16126329,0.08469786,-0.12544188,0.1670199,0.09024857,0.05914065,-0.07248707,-0.22252144]'),
	('recommend-20261201T003441-2571bf', 'item-15', '[-0.12550148,0.029550252,0.078716405,-0.001845438,0.031219928,-0.033231776,0.10296742,0.08124415,-0.16967303,-0.027966667,-0.21776354,0.09909956,0.14323968,-0.1836222,0.23121326,0.114133745]'),
	('recommend-20261201T003441-2571bf', 'item-2', '[-0.21773912,0.08381517,-0.084512524,0.060543977,-0.08619673,0.08566366,-0.10410246,0.21208069,-0.08746564,0.21029863,-0.2941532,0.20756347,0.1732831,0.1023272,-0.15144336,-0.18309447]'),
	('recommend-20261201T003441-2571bf', 'item-3', '[-0.014532561,0.00811787,0.11023636,0.059579037,-0.025009869,-0.19588506,-0.041057553,-0.04014409,-0.011917239,-0.13304004,-0.21347125,-0.018674517,-0.050636016,-0.08971743,0.0698335,0.037666284]'),
	('recommend-20261201T003441-2571bf', 'item-4', '[-0.17829883,-0.033453904,0.17120072,0.01300917,-0.07577344,0.020756125,-0.08471409,0.025865672,-0.18759704,0.21064356,-0.15539621,0.117559835,-0.15632059,0.12027425,0.044626847,0.052739322]'),
	('recommend-20261201T003441-2571bf', 'item-5', '[-0.2050435,-0.085745476,-0.15502153,-0.031184446,-0.22775786,-0.04022051,0.047475703,0.1984281,0.08032008,-0.03441459,-0.023892006,0.016348269,0.1798363,-0.012527034,0.11711474,0.06591304]'),
	('recommend-20261201T003441-2571bf', 'item-6', '[-0.057305697,0.14293475,0.30479565,0.042567253,-0.005819816,-0.11054611,-0.05330237,-0.031034816,-0.054572295,0.066993214,-0.07056702,0.11715519,0.051103372,-0.061068274,-0.0031843306,-0.115176715]'),
	('recommend-20261201T003441-2571bf', 'item-7', '[-0.14104787,-0.028175022,0.23088033,0.12773803,-0.089000426,0.07041871,0.088782445,0.0055798357,0.024076592,0.01275981,-0.18143873,0.072161496,-0.042638853,-0.13328956,0.04443062,0.02886907]'),
	('recommend-20261201T003441-2571bf', 'item-8', '[-0.11864422,0.17427276,-0.019470222,-0.07341402,0.036843695,-0.068639494,-0.1870534,-0.04525401,-0.24746275,0.10223018,-0.070584185,0.062049195,-0.10857251,0.018496368,0.041385714,0.036256976]'),
	('recommend-20261201T003441-2571bf', 'item-9', '[-0.24286121,-0.19305721,-0.10695809,0.28030404,-0.19171235,-0.004771102,0.034019385,0.073437236,-0.016264372,0.05453022,-0.13722359,0.053486805,0.11040836,-0.0794061,0.09970098,0.037113816]');
INSERT INTO public.items OVERRIDING SYSTEM VALUE VALUES
	('item-0', 1, 'phone model 0', '', 'phone', 'brand 0', 10, NULL, 10, '{"size": "0"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-0", "price": "2026-01-01T00:00:00.000000|announce-0", "stock": "2026-01-01T00:00:00.000000|announce-0", "title": "2026-01-01T00:00:00.000000|announce-0", "category": "2026-01-01T00:00:00.000000|announce-0", "attributes": "2026-01-01T00:00:00.000000|announce-0", "deleted_at": "2026-01-01T00:00:00.000000|announce-0"}', DEFAULT, 756, DEFAULT),
	('item-1', 2, 'lamp model 1', '', 'lamp', 'brand 1', 11, NULL, 10, '{"size": "1"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-1", "price": "2026-01-01T00:00:00.000000|announce-1", "stock": "2026-01-01T00:00:00.000000|announce-1", "title": "2026-01-01T00:00:00.000000|announce-1", "category": "2026-01-01T00:00:00.000000|announce-1", "attributes": "2026-01-01T00:00:00.000000|announce-1", "deleted_at": "2026-01-01T00:00:00.000000|announce-1"}', DEFAULT, 756, DEFAULT),
	('item-10', 3, 'shoe model 10', '', 'shoe', 'brand 1', 20, NULL, 10, '{"size": "0"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-10", "price": "2026-01-01T00:00:00.000000|announce-10", "stock": "2026-01-01T00:00:00.000000|announce-10", "title": "2026-01-01T00:00:00.000000|announce-10", "category": "2026-01-01T00:00:00.000000|announce-10", "attributes": "2026-01-01T00:00:00.000000|announce-10", "deleted_at": "2026-01-01T00:00:00.000000|announce-10"}', DEFAULT, 756, DEFAULT),
	('item-11', 4, 'tea model 11', '', 'tea', 'brand 2', 21, NULL, 10, '{"size": "1"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-11", "price": "2026-01-01T00:00:00.000000|announce-11", "stock": "2026-01-01T00:00:00.000000|announce-11", "title": "2026-01-01T00:00:00.000000|announce-11", "category": "2026-01-01T00:00:00.000000|announce-11", "attributes": "2026-01-01T00:00:00.000000|announce-11", "deleted_at": "2026-01-01T00:00:00.000000|announce-11"}', DEFAULT, 756, DEFAULT),
	('item-12', 5, 'phone model 12', '', 'phone', 'brand 0', 22, NULL, 10, '{"size": "2"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-12", "price": "2026-01-01T00:00:00.000000|announce-12", "stock": "2026-01-01T00:00:00.000000|announce-12", "title": "2026-01-01T00:00:00.000000|announce-12", "category": "2026-01-01T00:00:00.000000|announce-12", "attributes": "2026-01-01T00:00:00.000000|announce-12", "deleted_at": "2026-01-01T00:00:00.000000|announce-12"}', DEFAULT, 756, DEFAULT),
	('item-13', 6, 'lamp model 13', '', 'lamp', 'brand 1', 23, NULL, 10, '{"size": "3"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-13", "price": "2026-01-01T00:00:00.000000|announce-13", "stock": "2026-01-01T00:00:00.000000|announce-13", "title": "2026-01-01T00:00:00.000000|announce-13", "category": "2026-01-01T00:00:00.000000|announce-13", "attributes": "2026-01-01T00:00:00.000000|announce-13", "deleted_at": "2026-01-01T00:00:00.000000|announce-13"}', DEFAULT, 756, DEFAULT),
	('item-14', 7, 'shoe model 14', '', 'shoe', 'brand 2', 24, NULL, 10, '{"size": "4"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-14", "price": "2026-01-01T00:00:00.000000|announce-14", "stock": "2026-01-01T00:00:00.000000|announce-14", "title": "2026-01-01T00:00:00.000000|announce-14", "category": "2026-01-01T00:00:00.000000|announce-14", "attributes": "2026-01-01T00:00:00.000000|announce-14", "deleted_at": "2026-01-01T00:00:00.000000|announce-14"}', DEFAULT, 756, DEFAULT),
	('item-15', 8, 'tea model 15', '', 'tea', 'brand 0', 25, NULL, 10, '{"size": "0"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-15", "price": "2026-01-01T00:00:00.000000|announce-15", "stock": "2026-01-01T00:00:00.000000|announce-15", "title": "2026-01-01T00:00:00.000000|announce-15", "category": "2026-01-01T00:00:00.000000|announce-15", "attributes": "2026-01-01T00:00:00.000000|announce-15", "deleted_at": "2026-01-01T00:00:00.000000|announce-15"}', DEFAULT, 756, DEFAULT),
	('item-2', 9, 'shoe model 2', '', 'shoe', 'brand 2', 12, NULL, 10, '{"size": "2"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-2", "price": "2026-01-01T00:00:00.000000|announce-2", "stock": "2026-01-01T00:00:00.000000|announce-2", "title": "2026-01-01T00:00:00.000000|announce-2", "category": "2026-01-01T00:00:00.000000|announce-2", "attributes": "2026-01-01T00:00:00.000000|announce-2", "deleted_at": "2026-01-01T00:00:00.000000|announce-2"}', DEFAULT, 756, DEFAULT),
	('item-3', 10, 'tea model 3', '', 'tea', 'brand 0', 13, NULL, 10, '{"size": "3"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-3", "price": "2026-01-01T00:00:00.000000|announce-3", "stock": "2026-01-01T00:00:00.000000|announce-3", "title": "2026-01-01T00:00:00.000000|announce-3", "category": "2026-01-01T00:00:00.000000|announce-3", "attributes": "2026-01-01T00:00:00.000000|announce-3", "deleted_at": "2026-01-01T00:00:00.000000|announce-3"}', DEFAULT, 756, DEFAULT),
	('item-4', 11, 'phone model 4', '', 'phone', 'brand 1', 14, NULL, 10, '{"size": "4"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-4", "price": "2026-01-01T00:00:00.000000|announce-4", "stock": "2026-01-01T00:00:00.000000|announce-4", "title": "2026-01-01T00:00:00.000000|announce-4", "category": "2026-01-01T00:00:00.000000|announce-4", "attributes": "2026-01-01T00:00:00.000000|announce-4", "deleted_at": "2026-01-01T00:00:00.000000|announce-4"}', DEFAULT, 756, DEFAULT),
	('item-5', 12, 'lamp model 5', '', 'lamp', 'brand 2', 15, NULL, 10, '{"size": "0"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-5", "price": "2026-01-01T00:00:00.000000|announce-5", "stock": "2026-01-01T00:00:00.000000|announce-5", "title": "2026-01-01T00:00:00.000000|announce-5", "category": "2026-01-01T00:00:00.000000|announce-5", "attributes": "2026-01-01T00:00:00.000000|announce-5", "deleted_at": "2026-01-01T00:00:00.000000|announce-5"}', DEFAULT, 756, DEFAULT),
	('item-6', 13, 'shoe model 6', '', 'shoe', 'brand 0', 16, NULL, 10, '{"size": "1"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-6", "price": "2026-01-01T00:00:00.000000|announce-6", "stock": "2026-01-01T00:00:00.000000|announce-6", "title": "2026-01-01T00:00:00.000000|announce-6", "category": "2026-01-01T00:00:00.000000|announce-6", "attributes": "2026-01-01T00:00:00.000000|announce-6", "deleted_at": "2026-01-01T00:00:00.000000|announce-6"}', DEFAULT, 756, DEFAULT),
	('item-7', 14, 'tea model 7', '', 'tea', 'brand 1', 17, NULL, 10, '{"size": "2"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-7", "price": "2026-01-01T00:00:00.000000|announce-7", "stock": "2026-01-01T00:00:00.000000|announce-7", "title": "2026-01-01T00:00:00.000000|announce-7", "category": "2026-01-01T00:00:00.000000|announce-7", "attributes": "2026-01-01T00:00:00.000000|announce-7", "deleted_at": "2026-01-01T00:00:00.000000|announce-7"}', DEFAULT, 756, DEFAULT),
	('item-8', 15, 'phone model 8', '', 'phone', 'brand 2', 18, NULL, 10, '{"size": "3"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-8", "price": "2026-01-01T00:00:00.000000|announce-8", "stock": "2026-01-01T00:00:00.000000|announce-8", "title": "2026-01-01T00:00:00.000000|announce-8", "category": "2026-01-01T00:00:00.000000|announce-8", "attributes": "2026-01-01T00:00:00.000000|announce-8", "deleted_at": "2026-01-01T00:00:00.000000|announce-8"}', DEFAULT, 756, DEFAULT),
	('item-9', 16, 'lamp model 9', '', 'lamp', 'brand 0', 19, NULL, 10, '{"size": "4"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-9", "price": "2026-01-01T00:00:00.000000|announce-9", "stock": "2026-01-01T00:00:00.000000|announce-9", "title": "2026-01-01T00:00:00.000000|announce-9", "category": "2026-01-01T00:00:00.000000|announce-9", "attributes": "2026-01-01T00:00:00.000000|announce-9", "deleted_at": "2026-01-01T00:00:00.000000|announce-9"}', DEFAULT, 756, DEFAULT),
	('item-100', 17, 'phone model 100', '', 'phone', 'brand 1', 110, NULL, 10, '{"size": "0"}', '{}', NULL, '2026-01-01 00:00:00+00', NULL, '{"brand": "2026-01-01T00:00:00.000000|announce-100", "price": "2026-01-01T00:00:00.000000|announce-100", "stock": "2026-01-01T00:00:00.000000|announce-100", "title": "2026-01-01T00:00:00.000000|announce-100", "category": "2026-01-01T00:00:00.000000|announce-100", "attributes": "2026-01-01T00:00:00.000000|announce-100", "deleted_at": "2026-01-01T00:00:00.000000|announce-100"}', DEFAULT, 814, DEFAULT);
INSERT INTO public.live_models VALUES
	('recommend', 'recommend-20261201T003441-2571bf', '2026-12-01 00:34:48.195616+00');
INSERT INTO public.model_switches OVERRIDING SYSTEM VALUE VALUES
	(1, 'recommend', 'recommend-20261201T003441-2571bf', NULL, '2026-12-01 00:34:48.195616+00', 'published');
INSERT INTO public.model_versions VALUES
	('recommend-20261201T003441-2571bf', 'recommend', NULL, '{"dim": 16, "row": 16, "block": "ligr", "heads": 2, "blocks": 1, "epochs": 30, "replay": 0.0, "dropout": 0.2, "history": 12, "bfloat16": null, "id_decay": 0.0, "patience": 8, "diversity": 0.1, "negatives": 0, "batch_rows": 16, "candidates": 32, "id_dropout": 0.1, "successors": 8, "text_width": 8, "trend_days": 3.0, "adversarial": 0.0, "filter_seen": true, "replay_days": 21.0, "blend_memory": 15000.0, "distillation": 0.0, "hash_buckets": 512, "kind_weights": {"view": 0.3, "click": 0.5, "rating": 1.0, "search": 0.0, "dismiss": -1.0, "purchase": 3.0, "wishlist": 1.0, "impression": 0.05, "add_to_cart": 1.5}, "refit_epochs": 3, "weight_decay": 0.0, "finetune_half": 4000.0, "finetune_rate": 1.0, "learning_rate": 0.01, "target_weight": 0.3, "finetune_share": 1.0, "attribute_width": 4, "finetune_epochs": 8, "validation_users": 5000, "adversarial_radius": 0.1}', '{"model": {"cases": 1.0, "mrr@10": 1.0, "ndcg@10": 1.0, "recall@10": 1.0, "coverage@10": 0.625, "hit_rate@10": 1.0, "precision@10": 0.1}, "popularity": {"cases": 1.0, "mrr@10": 0.0, "ndcg@10": 0.0, "recall@10": 0.0, "coverage@10": 0.625, "hit_rate@10": 0.0, "precision@10": 0.0}, "cooccurrence": {"cases": 1.0, "mrr@10": 0.0, "ndcg@10": 0.0, "recall@10": 0.0, "coverage@10": 0.625, "hit_rate@10": 0.0, "precision@10": 0.0}}', '2026-12-01 00:34:48.169135+00', '2026-02-02 08:00:07+00', '2026-02-01 00:00:00+00', 'full', 'f643b1a9693ac8efcf598acd9b95a242635886a64b0fc37633c3ef2734dcaa6b', '0.1.0 (cf02897)', '{"cases": 0, "notes": ["no version serves yet", "compared with nothing: fewer than 50 users have a new basket to test on"], "passed": true, "figures": {}, "reasons": [], "compared_with": null}', NULL);
INSERT INTO public.order_labels VALUES
	('l-1', 'o-1', 'chargeback', '2026-03-01 09:00:00+00', '2026-12-01 00:35:04.264874+00');
INSERT INTO public.order_messages VALUES
	('o-0', '{"at": "2026-03-01T08:00:00Z", "ip": "192.0.2.1", "items": [{"price": 20.0, "item_id": "item-1", "quantity": 1.0}], "amount": 20.0, "currency": "EUR", "order_id": "o-0", "device_id": "d-1", "address_id": "a-1", "payment_id": "p-1", "customer_id": "u1", "billing_country": "FR", "shipping_country": "FR"}', '2026-12-01 00:35:01.046944+00'),
	('o-1', '{"at": "2026-03-01T08:00:00Z", "ip": "192.0.2.1", "items": [{"price": 30.0, "item_id": "item-1", "quantity": 1.0}], "amount": 30.0, "currency": "EUR", "order_id": "o-1", "device_id": "d-1", "address_id": "a-1", "payment_id": "p-1", "customer_id": "u1", "billing_country": "FR", "shipping_country": "FR"}', '2026-12-01 00:35:02.13516+00'),
	('o-2', '{"at": "2026-03-01T08:00:00Z", "ip": "192.0.2.1", "items": [{"price": 600.0, "item_id": "item-1", "quantity": 1.0}], "amount": 600.0, "currency": "EUR", "order_id": "o-2", "device_id": "d-1", "address_id": "a-1", "payment_id": "p-1", "customer_id": "u1", "billing_country": "FR", "shipping_country": "FR"}', '2026-12-01 00:35:03.252465+00'),
	('o-9', '{"at": "2026-03-01T08:00:00Z", "ip": "192.0.2.1", "items": [{"price": 25.0, "item_id": "item-1", "quantity": 1.0}], "amount": 25.0, "currency": "EUR", "order_id": "o-9", "device_id": "d-9", "address_id": "a-1", "payment_id": "p-1", "customer_id": "u1", "billing_country": "FR", "shipping_country": "FR"}', '2026-12-01 00:35:04.20092+00'),
	('left', '{"at": "2026-03-01T08:00:00Z", "ip": "192.0.2.1", "items": [{"price": 21.0, "item_id": "item-1", "quantity": 1.0}], "amount": 21.0, "currency": "EUR", "order_id": "left", "device_id": "d-1", "address_id": "a-1", "payment_id": "p-1", "customer_id": "u1", "billing_country": "FR", "shipping_country": "FR"}', '2026-12-01 00:35:04.686933+00');
INSERT INTO public.orders VALUES
	('o-0', 1772352000, 6524967847639959582, 5281779755554125162, 0, 4551790980796489655, 1229520069423788492, 7222222834117219336, 7276326368275286709, 8526740470103200727, 2000, 3, 0.6666666666666666, NULL, NULL),
	('o-2', 1772352000, 4881065174592760314, 5281779755554125162, 0, 4551790980796489655, 1229520069423788492, 7222222834117219336, 7276326368275286709, 8526740470103200727, 60000, 2, 20, NULL, NULL),
	('o-9', 1772352000, 3789260531500194659, 5281779755554125162, 0, 4551790980796489655, 5649377598875117046, 7222222834117219336, 7276326368275286709, 8526740470103200727, 2500, 4, 0.8333333333333334, NULL, NULL),
	('o-1', 1772352000, 1407586703451133234, 5281779755554125162, 0, 4551790980796489655, 1229520069423788492, 7222222834117219336, 7276326368275286709, 8526740470103200727, 3000, 1, 1, 1796085305, 'chargeback'),
	('left', 1772352000, 1949311930447399105, 5281779755554125162, 0, 4551790980796489655, 1229520069423788492, 7222222834117219336, 7276326368275286709, 8526740470103200727, 2100, 0, 1, NULL, NULL);
INSERT INTO public.rankings VALUES
	('item-0', 'similar', '{0.7754643,0.7260342,0.65529925,0.58585185,0.5759089,0.4878232,0.45732227,0.42408073,0.22809513,0.22775905,0.16447635,0.15410279,0.12266643,0.09880438,-0.2108489}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{5,8,13,14,11,10,15,3,7,9,16,6,12,2,4}', NULL),
	('item-1', 'similar', '{0.60668063,0.45041987,0.4362766,0.3251197,0.30039895,0.2811739,0.2256724,0.15079556,0.115655206,0.09880438,-0.02334813,-0.09237962,-0.15669799,-0.26555467,-0.28814265}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{16,6,14,8,12,4,10,5,11,1,3,13,9,7,15}', NULL),
	('item-10', 'similar', '{0.602501,0.59513134,0.55326575,0.48472303,0.42408073,0.30525282,0.2905448,0.27735734,0.21784848,0.17960364,0.15969159,0.105295904,-0.013013007,-0.02334813,-0.41621605}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{7,9,13,6,1,5,8,14,15,11,12,16,10,2,4}', NULL),
	('item-11', 'similar', '{0.32352218,0.2831284,0.2811739,0.27518418,0.18808453,0.08249472,0.0065321014,-0.09006877,-0.18087801,-0.2018845,-0.2108489,-0.22147532,-0.28098342,-0.3171247,-0.41621605}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{16,12,2,8,10,14,9,7,11,13,1,5,6,15,3}', NULL),
	('item-12', 'similar', '{0.7754643,0.7544641,0.6438482,0.5705881,0.48263556,0.44761345,0.4446426,0.42404082,0.3646484,0.3503155,0.30525282,0.21311936,0.19362247,0.15079553,-0.22147532}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{1,11,14,13,16,15,9,8,7,10,3,12,6,2,4}', NULL),
	('item-13', 'similar', '{0.48472315,0.4504199,0.44700927,0.413287,0.37783462,0.3148272,0.26415163,0.19362248,0.18899065,0.17345142,0.15410279,0.045800854,-0.10962386,-0.15427123,-0.28098342}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{3,2,16,12,9,8,7,5,11,14,1,15,10,13,4}', NULL),
	('item-14', 'similar', '{0.8609258,0.6025011,0.4761185,0.42955154,0.4164202,0.36464843,0.3098728,0.26415163,0.2539522,0.22809513,0.18246761,0.039818436,-0.09006878,-0.09687076,-0.26555467}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{9,3,15,12,11,5,16,6,13,1,8,14,4,10,2}', NULL),
	('item-15', 'similar', '{0.7260342,0.5468651,0.47742614,0.4263229,0.42404082,0.34793463,0.32915226,0.3251197,0.31482717,0.29054484,0.28106532,0.27518418,0.25110823,0.21056725,0.18246761}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{1,14,10,16,5,12,13,2,6,3,11,4,15,9,7}', NULL),
	('', 'popular', '{0.560973,0.5482395,0.52984273,0.5,0.41580337,0.25350124,0.25157362,0.22491731}', 'popularity', '2026-12-01 00:35:03.193904+00', '2026-03-01 03:00:00+00', 0, NULL, NULL, '{11,12,13,14,2,9,5,15}', NULL),
	('category=lamp', 'popular', '{0.5482395,0.41580337,0.037038825,0.03522216}', 'popularity', '2026-12-01 00:35:03.193904+00', '2026-03-01 03:00:00+00', 0, NULL, NULL, '{12,2,6,16}', NULL),
	('category=phone', 'popular', '{0.560973,0.25157362,0.22491731}', 'popularity', '2026-12-01 00:35:03.193904+00', '2026-03-01 03:00:00+00', 0, NULL, NULL, '{11,5,15}', NULL),
	('category=shoe', 'popular', '{0.52984273,0.25350124,0.19783278,0.05566911}', 'popularity', '2026-12-01 00:35:03.193904+00', '2026-03-01 03:00:00+00', 0, NULL, NULL, '{13,9,3,7}', NULL),
	('category=tea', 'popular', '{0.5,0.2113325,0.02044709}', 'popularity', '2026-12-01 00:35:03.193904+00', '2026-03-01 03:00:00+00', 0, NULL, NULL, '{14,4,8}', NULL),
	('item-2', 'similar', '{0.8609256,0.59513134,0.46080315,0.4446426,0.42052898,0.37783456,0.31925014,0.30526635,0.2905021,0.22775905,0.21742721,0.21056725,0.0065321014,-0.10076266,-0.15669797}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{7,3,11,5,16,6,12,15,13,1,14,8,4,10,2}', NULL),
	('item-3', 'similar', '{0.4878232,0.47742614,0.47270638,0.4189672,0.3503155,0.22567238,0.19814685,0.18808453,0.18507084,0.16319786,-0.010707964,-0.013013007,-0.09687076,-0.100762665,-0.10962386}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{1,8,14,13,5,2,16,4,15,11,12,3,7,9,6}', NULL),
	('item-4', 'similar', '{0.7544641,0.6166126,0.5759089,0.479784,0.46080315,0.42310148,0.4164202,0.28106532,0.27041432,0.18899064,0.17960367,0.16319786,0.115655206,-0.032538403,-0.18087801}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{5,15,1,14,9,13,7,8,16,6,3,10,2,12,4}', NULL),
	('item-5', 'similar', '{0.6675679,0.42955154,0.413287,0.34793463,0.31925014,0.30039892,0.2831284,0.21311936,0.1596916,0.12266643,0.11305846,-0.010707964,-0.032538403,-0.20214431,-0.26158553}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{16,7,6,8,9,2,4,5,3,1,14,10,11,15,13}', NULL),
	('item-6', 'similar', '{0.65529925,0.5705881,0.5532658,0.5161544,0.42310148,0.4189672,0.34138873,0.3291523,0.29050213,0.2539522,-0.04595981,-0.09237962,-0.15427123,-0.20188452,-0.26158553}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{1,5,3,14,11,10,15,8,9,7,16,2,6,4,12}', NULL),
	('item-7', 'similar', '{0.6438482,0.5858519,0.54686517,0.5161544,0.503212,0.479784,0.47270638,0.4362766,0.27735737,0.21742722,0.17345142,0.11305847,0.08249473,0.039818436,-0.05175133}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{5,1,8,13,16,11,10,2,3,9,6,12,4,7,15}', NULL),
	('item-8', 'similar', '{0.61661255,0.47611845,0.4573222,0.4476134,0.34138867,0.30526635,0.25110823,0.21784848,0.18507083,0.045800842,-0.051751323,-0.10840073,-0.20214431,-0.2881426,-0.31712466}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{11,7,1,5,13,9,8,3,10,6,14,16,12,2,4}', NULL),
	('item-9', 'similar', '{0.6675679,0.60668063,0.503212,0.48263556,0.44700924,0.4263229,0.420529,0.32352218,0.3098728,0.27041432,0.19814685,0.16447635,0.10529591,-0.04595981,-0.10840073}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.799588+00', NULL, 63, NULL, NULL, '{12,2,14,5,6,8,9,4,7,11,10,1,3,13,15}', NULL),
	('u0', 'home', '{12.516871,9.2786,5.680234,4.78231,2.9082284,2.5277853,2.3249311,2.2446024}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.831595+00', '2026-03-01 00:00:00+00', 91, NULL, 'recommend-20261201T003441-2571bf', '{5,11,16,2,14,8,9,6}', NULL),
	('u1', 'home', '{12.744935,7.244534,3.709674,2.5973892,1.8659478,1.3075502,1.0527072,0.4031813}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.831595+00', '2026-03-01 01:00:00+00', 93, NULL, 'recommend-20261201T003441-2571bf', '{16,12,14,5,4,10,8,6}', NULL),
	('u2', 'home', '{10.703569,4.988314,3.3711855,2.856365,2.205806,1.8830855,1.7605004,1.6789664}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.831595+00', '2026-03-01 02:00:00+00', 95, NULL, 'recommend-20261201T003441-2571bf', '{7,13,11,12,5,6,8,3}', NULL),
	('u3', 'home', '{12.265238,10.586,6.3222094,5.5962296,4.868869,3.8113048,1.8155063,1.5197465}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.831595+00', '2026-03-01 03:00:00+00', 97, NULL, 'recommend-20261201T003441-2571bf', '{8,14,10,16,2,5,11,13}', NULL),
	('u4', 'home', '{11.546356,9.836745,5.757199,4.6498437,2.8008368,2.2155862,2.1714842,1.981137}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.831595+00', '2026-02-02 08:00:04+00', 99, NULL, 'recommend-20261201T003441-2571bf', '{15,11,16,2,14,8,3,6}', NULL),
	('u5', 'home', '{15.02162,7.4920063,3.1452506,2.8529155,1.5814006,1.3754219,0.93982214,0.78842884}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.831595+00', '2026-02-02 08:00:05+00', 101, NULL, 'recommend-20261201T003441-2571bf', '{16,12,14,5,9,4,6,8}', NULL),
	('u6', 'home', '{17.23879,12.432863,5.0051913,4.0508184,2.923389,2.395812,2.2946527,1.5609344}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.831595+00', '2026-02-02 08:00:06+00', 103, NULL, 'recommend-20261201T003441-2571bf', '{9,7,16,13,6,5,12,11}', NULL),
	('u7', 'home', '{12.686081,8.311391,7.505812,5.778555,4.784214,3.2538102,1.3888308,1.0061837}', 'recommend-20261201T003441-2571bf', '2026-12-01 00:35:00.831595+00', '2026-02-02 08:00:07+00', 105, NULL, 'recommend-20261201T003441-2571bf', '{14,10,4,16,2,5,3,11}', NULL),
	('segment=gardeners', 'segment', '{0.5482395,0.52984273,0.5,0.49384934,0.2113325,0.21133201,0.2044702,0.19783187}', 'popularity', '2026-12-01 00:35:03.193904+00', '2026-03-01 03:00:00+00', 0, NULL, NULL, '{12,13,14,11,4,2,15,9}', NULL);
INSERT INTO public.reviews VALUES
	('o-2', '2026-12-01 00:35:04.088649+00', 'an order of 500 or more', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.rule_activations OVERRIDING SYSTEM VALUE VALUES
	(1, 'rules-76212c384393', '2026-12-01 00:34:58.783385+00');
INSERT INTO public.rule_sets VALUES
	('rules-44136fa355b3', '{}', '2026-12-01 00:33:44.619601+00'),
	('rules-76212c384393', '{"lists": {"blocked": ["d-9"]}, "rules": [{"name": "blocked-device", "when": {"device": {"in": "@blocked"}}, "reason": "the device is blocked", "decision": "decline"}, {"name": "large-order", "when": {"amount": {"at_least": 500.0}}, "reason": "an order of 500 or more", "decision": "review"}]}', '2026-12-01 00:34:58.783385+00');
INSERT INTO public.screening_log OVERRIDING SYSTEM VALUE VALUES
	(1, 'o-0', '2026-12-01 00:35:04.088649+00', 'judged late', '{"by": "rules", "why": "no model is trained yet", "facts": {"ip": "192.0.2.1", "hour": 8, "items": 1, "amount": 20.0, "device": "d-1", "pieces": 1.0, "address": "a-1", "payment": "p-1", "weekday": 7, "currency": "EUR", "customer": "u1", "billing_country": "FR", "countries_differ": false, "shipping_country": "FR"}, "reasons": [], "decision": "approve", "features": [20.0, 8.0, 0.0, 1.0, 0.6666666666666666, 30.0, 2.0, 0.6666666666666666, 0.03333333333333333, 1.0, 0.0, 0.0, 2.0, 0.06349206349206349, 0.2857142857142857, 0.06349206349206349, 0.07142857142857142, 0.06349206349206349, 1.0, 1.0, 1.0, 20.0, 0.5, 0.0, 0.0, 0.0, 90.0, 1.0, 2.0, 630.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 0.0, 0.0, 60.0, 60.0, 0.0, 0.0, 2.0, 2.0, 2.0, 630.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 2.0, 2.0, 2.0, 630.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 2.0, 2.0, 2.0, 630.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 2.0, 2.0, 2.0, 630.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 3.0, 0.0], "order_id": "o-0", "probability": null, "model_version": null, "rules_version": "rules-76212c384393"}'),
	(2, 'o-1', '2026-12-01 00:35:04.088649+00', 'judged late', '{"by": "rules", "why": "no model is trained yet", "facts": {"ip": "192.0.2.1", "hour": 8, "items": 1, "amount": 30.0, "device": "d-1", "pieces": 1.0, "address": "a-1", "payment": "p-1", "weekday": 7, "currency": "EUR", "customer": "u1", "billing_country": "FR", "countries_differ": false, "shipping_country": "FR"}, "reasons": [], "decision": "approve", "features": [30.0, 8.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.5, 1.0, 90.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 90.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 0.0, 0.0, 60.0, 60.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 0.0, 3.0, 0.0], "order_id": "o-1", "probability": null, "model_version": null, "rules_version": "rules-76212c384393"}'),
	(3, 'o-1', '2026-12-01 00:35:04.264874+00', 'label', '{"kind": "chargeback"}');
INSERT INTO public.screenings VALUES
	('o-0', 'approve', 'rules', 'the model did not answer within 1000 ms', NULL, '[]', '{"ip": "192.0.2.1", "hour": 8, "items": 1, "amount": 20.0, "device": "d-1", "pieces": 1.0, "address": "a-1", "payment": "p-1", "weekday": 7, "currency": "EUR", "customer": "u1", "otherwise": "approve", "billing_country": "FR", "countries_differ": false, "shipping_country": "FR"}', 'rules-76212c384393', NULL, NULL, '2026-12-01 00:35:02.056372+00'),
	('o-1', 'approve', 'rules', 'the model did not answer within 1000 ms', NULL, '[]', '{"ip": "192.0.2.1", "hour": 8, "items": 1, "amount": 30.0, "device": "d-1", "pieces": 1.0, "address": "a-1", "payment": "p-1", "weekday": 7, "currency": "EUR", "customer": "u1", "otherwise": "approve", "billing_country": "FR", "countries_differ": false, "shipping_country": "FR"}', 'rules-76212c384393', NULL, NULL, '2026-12-01 00:35:03.136253+00'),
	('o-2', 'review', 'rules', 'no model is trained yet', NULL, '[{"name": "large-order", "text": "an order of 500 or more", "source": "rule"}]', '{"ip": "192.0.2.1", "hour": 8, "items": 1, "amount": 600.0, "device": "d-1", "pieces": 1.0, "address": "a-1", "payment": "p-1", "weekday": 7, "currency": "EUR", "customer": "u1", "billing_country": "FR", "countries_differ": false, "shipping_country": "FR"}', 'rules-76212c384393', NULL, '{600,8,0,1,20,30,1,20,20,0,0,0,1,20,0.14285714285714285,20,0.03571428571428571,20,0,0,0,1,0,7,0,0,90,1,1,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,60,0,0,0,60,60,0,0,1,1,1,30,0,0,0,0,0,60,0,1,1,1,30,0,0,0,0,0,60,0,1,1,1,30,0,0,0,0,0,60,0,1,1,1,30,0,0,0,0,0,60,0,3,0}', '2026-12-01 00:35:04.088649+00'),
	('o-9', 'decline', 'rules', 'no model is trained yet', NULL, '[{"name": "blocked-device", "text": "the device is blocked", "source": "rule"}]', '{"ip": "192.0.2.1", "hour": 8, "items": 1, "amount": 25.0, "device": "d-9", "pieces": 1.0, "address": "a-1", "payment": "p-1", "weekday": 7, "currency": "EUR", "customer": "u1", "billing_country": "FR", "countries_differ": false, "shipping_country": "FR"}', 'rules-76212c384393', NULL, '{25,8,0,1,0.8333333333333334,30,1,0.8333333333333334,0.8333333333333334,1,0,0,1,0.8333333333333334,0.14285714285714285,0.8333333333333334,0.03571428571428571,0.8333333333333334,0,0,0,1,0,7,0,0,90,1,1,30,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,60,0,0,0,60,60,0,0,1,1,1,30,0,0,0,0,0,60,0,0,0,0,0,0,0,0,0,0,60,0,1,1,1,30,0,0,0,0,0,60,0,1,1,1,30,0,0,0,0,0,60,0,3,0}', '2026-12-01 00:35:04.203165+00'),
	('left', 'approve', 'rules', 'the model did not answer within 1000 ms', NULL, '[]', '{"ip": "192.0.2.1", "hour": 8, "items": 1, "amount": 21.0, "device": "d-1", "pieces": 1.0, "address": "a-1", "payment": "p-1", "weekday": 7, "currency": "EUR", "customer": "u1", "otherwise": "approve", "billing_country": "FR", "countries_differ": false, "shipping_country": "FR"}', 'rules-76212c384393', NULL, NULL, '2026-12-01 00:35:05.70172+00');
INSERT INTO public.search_answers VALUES
	('c279fc8ab27035bfcb78e7f13957c76a', '{"query": "lamp"}', NULL, '{2,12,6,16}', '{1.7,1.6287632,1.6218703,1.6209879}', 4, '{"brand": {"brand 0": 1, "brand 1": 2, "brand 2": 1}, "category": {"lamp": 4}}', NULL, 'matched', NULL, NULL, '{lamp}', 811, NULL, false, '2026-12-01 00:35:04.310477+00', NULL, 1, '2026-12-01 00:35:04.286095+00');
INSERT INTO public.shopper_traits VALUES
	('u0', 'segment', 'gardeners', '2026-03-01 00:00:00+00'),
	('u1', 'segment', 'gardeners', '2026-03-01 01:00:00+00'),
	('u2', 'segment', 'gardeners', '2026-03-01 02:00:00+00'),
	('u3', 'segment', 'gardeners', '2026-03-01 03:00:00+00');
INSERT INTO public.suggestions VALUES
	('brand 0', 'brand 0', 6),
	('brand 0 lamp', 'brand 0 lamp', 0.5),
	('brand 0 phone', 'brand 0 phone', 1),
	('brand 0 shoe', 'brand 0 shoe', 0.5),
	('brand 0 tea', 'brand 0 tea', 1),
	('brand 1', 'brand 1', 5),
	('brand 1 lamp', 'brand 1 lamp', 1),
	('brand 1 phone', 'brand 1 phone', 0.5),
	('brand 1 shoe', 'brand 1 shoe', 0.5),
	('brand 1 tea', 'brand 1 tea', 0.5),
	('brand 2', 'brand 2', 5),
	('brand 2 lamp', 'brand 2 lamp', 0.5),
	('brand 2 phone', 'brand 2 phone', 0.5),
	('brand 2 shoe', 'brand 2 shoe', 1),
	('brand 2 tea', 'brand 2 tea', 0.5),
	('lamp', 'lamp', 4),
	('lamp model 1', 'lamp model 1', 0.5),
	('lamp model 13', 'lamp model 13', 0.5),
	('lamp model 5', 'lamp model 5', 0.5),
	('lamp model 9', 'lamp model 9', 0.5),
	('phone', 'phone', 4),
	('phone model 0', 'phone model 0', 0.5),
	('phone model 12', 'phone model 12', 0.5),
	('phone model 4', 'phone model 4', 0.5),
	('phone model 8', 'phone model 8', 0.5),
	('shoe', 'shoe', 4),
	('shoe model 10', 'shoe model 10', 0.5),
	('shoe model 14', 'shoe model 14', 0.5),
	('shoe model 2', 'shoe model 2', 0.5),
	('shoe model 6', 'shoe model 6', 0.5),
	('tea', 'tea', 4),
	('tea model 11', 'tea model 11', 0.5),
	('tea model 15', 'tea model 15', 0.5),
	('tea model 3', 'tea model 3', 0.5),
	('tea model 7', 'tea model 7', 0.5);
INSERT INTO public.transitions VALUES
	('item-1', 'item-5', 0.22222222, 797),
	('item-11', 'item-7', 0.29722223, 797),
	('item-12', 'item-4', 0.2, 797),
	('item-13', 'item-5', 0.033333335, 797),
	('item-14', 'item-6', 0.25, 797),
	('item-15', 'item-7', 0.083333336, 797),
	('item-2', 'item-6', 0.08888889, 797),
	('item-5', 'item-5', 0.125, 797),
	('item-6', 'item-6', 0.041666668, 797),
	('item-8', 'item-4', 0.18055555, 797);
INSERT INTO public.watermarks VALUES
	('suggestions', '{"state": "756/-infinity", "ended": 1796085253.071471, "seconds": 0.0022499561309814453}'),
	('actors_alert', ''),
	('actors', '{"state": "40", "ended": 1796085283.510067, "seconds": 0.05486607551574707}'),
	('popularity', '{"state": "60/756/1", "ended": 1796085303.235005, "seconds": 0.0025780200958251953}');
SELECT pg_catalog.setval('public.dead_letters_id_seq', 1, true);
SELECT pg_catalog.setval('public.drift_measurements_id_seq', 1, false);
SELECT pg_catalog.setval('public.due_marks', 122, true);
SELECT pg_catalog.setval('public.items_item_no_seq', 17, true);
SELECT pg_catalog.setval('public.model_switches_id_seq', 1, true);
SELECT pg_catalog.setval('public.order_places', 4, true);
SELECT pg_catalog.setval('public.rule_activations_id_seq', 1, true);
SELECT pg_catalog.setval('public.screening_log_id_seq', 3, true);
ALTER TABLE ONLY public.actors
    ADD CONSTRAINT actors_pkey PRIMARY KEY (shopper);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.change_ids
    ADD CONSTRAINT change_ids_pkey PRIMARY KEY (change_id);
ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.drift_measurements
    ADD CONSTRAINT drift_measurements_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.due
    ADD CONSTRAINT due_pkey PRIMARY KEY (kind, key);
ALTER TABLE ONLY public.event_ids
    ADD CONSTRAINT event_ids_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.experiments
    ADD CONSTRAINT experiments_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.intake_counts
    ADD CONSTRAINT intake_counts_pkey PRIMARY KEY (writer, door);
ALTER TABLE ONLY public.item_vectors
    ADD CONSTRAINT item_vectors_pkey PRIMARY KEY (model_version, item_id);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT items_item_no_key UNIQUE (item_no);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT items_pkey PRIMARY KEY (item_id);
ALTER TABLE ONLY public.live_models
    ADD CONSTRAINT live_models_pkey PRIMARY KEY (capability);
ALTER TABLE ONLY public.model_switches
    ADD CONSTRAINT model_switches_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.model_versions
    ADD CONSTRAINT model_versions_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.order_labels
    ADD CONSTRAINT order_labels_pkey PRIMARY KEY (label_id);
ALTER TABLE ONLY public.order_messages
    ADD CONSTRAINT order_messages_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY public.rankings
    ADD CONSTRAINT rankings_pkey PRIMARY KEY (owner, surface);
ALTER TABLE ONLY public.reviews
    ADD CONSTRAINT reviews_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY public.rule_activations
    ADD CONSTRAINT rule_activations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.rule_sets
    ADD CONSTRAINT rule_sets_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.screening_log
    ADD CONSTRAINT screening_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.screenings
    ADD CONSTRAINT screenings_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY public.search_answers
    ADD CONSTRAINT search_answers_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.shopper_traits
    ADD CONSTRAINT shopper_traits_pkey PRIMARY KEY (shopper, name);
ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT suggestions_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.transitions
    ADD CONSTRAINT transitions_pkey PRIMARY KEY (from_item, to_item);
ALTER TABLE ONLY public.version_health
    ADD CONSTRAINT version_health_pkey PRIMARY KEY (version, minute);
ALTER TABLE ONLY public.watermarks
    ADD CONSTRAINT watermarks_pkey PRIMARY KEY (name);
CREATE INDEX actors_flagged ON public.actors USING btree (flagged_at DESC, shopper) WHERE flagged;
CREATE INDEX drift_measurements_version ON public.drift_measurements USING btree (version, id);
CREATE INDEX due_tried ON public.due USING btree (kind, attempts, later, since, key) WHERE (attempts > 0);
CREATE INDEX due_untried ON public.due USING btree (kind, later, since, key) WHERE (attempts = 0);
CREATE INDEX events_at ON ONLY public.events USING btree (at);
CREATE INDEX events_2026_02_at_idx ON public.events_2026_02 USING btree (at);
CREATE INDEX events_search ON ONLY public.events USING btree (at) WHERE (kind = 'search'::text);
CREATE INDEX events_2026_02_at_idx1 ON public.events_2026_02 USING btree (at) WHERE (kind = 'search'::text);
CREATE INDEX events_basket ON ONLY public.events USING btree (basket) WHERE (basket IS NOT NULL);
CREATE INDEX events_2026_02_basket_idx ON public.events_2026_02 USING btree (basket) WHERE (basket IS NOT NULL);
CREATE INDEX events_item ON ONLY public.events USING btree (item_id, at);
CREATE INDEX events_2026_02_item_id_at_idx ON public.events_2026_02 USING btree (item_id, at);
CREATE INDEX events_received ON ONLY public.events USING brin (received_at);
CREATE INDEX events_2026_02_received_at_idx ON public.events_2026_02 USING brin (received_at);
CREATE INDEX events_shopper ON ONLY public.events USING btree (shopper, at);
CREATE INDEX events_2026_02_shopper_at_idx ON public.events_2026_02 USING btree (shopper, at);
CREATE INDEX events_hidden ON ONLY public.events USING btree (shopper) INCLUDE (item_id) WHERE (kind = ANY (ARRAY['purchase'::text, 'dismiss'::text]));
CREATE INDEX events_2026_02_shopper_item_id_idx ON public.events_2026_02 USING btree (shopper) INCLUDE (item_id) WHERE (kind = ANY (ARRAY['purchase'::text, 'dismiss'::text]));
CREATE INDEX events_2026_03_at_idx ON public.events_2026_03 USING btree (at);
CREATE INDEX events_2026_03_at_idx1 ON public.events_2026_03 USING btree (at) WHERE (kind = 'search'::text);
CREATE INDEX events_2026_03_basket_idx ON public.events_2026_03 USING btree (basket) WHERE (basket IS NOT NULL);
CREATE INDEX events_2026_03_item_id_at_idx ON public.events_2026_03 USING btree (item_id, at);
CREATE INDEX events_2026_03_received_at_idx ON public.events_2026_03 USING brin (received_at);
CREATE INDEX events_2026_03_shopper_at_idx ON public.events_2026_03 USING btree (shopper, at);
CREATE INDEX events_2026_03_shopper_item_id_idx ON public.events_2026_03 USING btree (shopper) INCLUDE (item_id) WHERE (kind = ANY (ARRAY['purchase'::text, 'dismiss'::text]));
CREATE UNIQUE INDEX experiments_running ON public.experiments USING btree ((true)) WHERE (stopped_at IS NULL);
CREATE INDEX items_category_newest ON public.items USING btree (category, announced_at DESC, item_id) WHERE available;
CREATE INDEX items_changed ON public.items USING btree (changed_xid);
CREATE INDEX items_newest ON public.items USING btree (announced_at DESC, item_id) WHERE available;
CREATE INDEX items_words ON public.items USING gin (words);
CREATE INDEX order_labels_order ON public.order_labels USING btree (order_id);
CREATE INDEX order_labels_received ON public.order_labels USING btree (received_at);
CREATE INDEX orders_address ON public.orders USING btree (address, at, tie) WHERE (address <> 0);
CREATE INDEX orders_at ON public.orders USING btree (at);
CREATE INDEX orders_customer ON public.orders USING btree (customer, at, tie);
CREATE INDEX orders_device ON public.orders USING btree (device, at, tie) WHERE (device <> 0);
CREATE INDEX orders_frauds ON public.orders USING btree (customer, fraud_at) WHERE (fraud_at IS NOT NULL);
CREATE INDEX orders_ip ON public.orders USING btree (ip, at, tie) WHERE (ip <> 0);
CREATE INDEX orders_payment ON public.orders USING btree (payment, at, tie) WHERE (payment <> 0);
CREATE INDEX orders_terminal ON public.orders USING btree (terminal, at, tie) WHERE (terminal <> 0);
CREATE INDEX reviews_open ON public.reviews USING btree (opened_at, order_id) WHERE (decision IS NULL);
CREATE INDEX screening_log_order ON public.screening_log USING btree (order_id, id);
CREATE INDEX screenings_decided ON public.screenings USING btree (decided_at);
CREATE INDEX search_answers_terms ON public.search_answers USING gin (terms);
CREATE INDEX shopper_traits_value ON public.shopper_traits USING btree (name, value);
CREATE INDEX suggestions_1 ON public.suggestions USING btree ("left"(key, 1), weight DESC, key);
CREATE INDEX suggestions_2 ON public.suggestions USING btree ("left"(key, 2), weight DESC, key);
CREATE INDEX suggestions_3 ON public.suggestions USING btree ("left"(key, 3), weight DESC, key);
CREATE INDEX transitions_changed ON public.transitions USING btree (changed_xid);
ALTER INDEX public.events_at ATTACH PARTITION public.events_2026_02_at_idx;
ALTER INDEX public.events_search ATTACH PARTITION public.events_2026_02_at_idx1;
ALTER INDEX public.events_basket ATTACH PARTITION public.events_2026_02_basket_idx;
ALTER INDEX public.events_item ATTACH PARTITION public.events_2026_02_item_id_at_idx;
ALTER INDEX public.events_received ATTACH PARTITION public.events_2026_02_received_at_idx;
ALTER INDEX public.events_shopper ATTACH PARTITION public.events_2026_02_shopper_at_idx;
ALTER INDEX public.events_hidden ATTACH PARTITION public.events_2026_02_shopper_item_id_idx;
ALTER INDEX public.events_at ATTACH PARTITION public.events_2026_03_at_idx;
ALTER INDEX public.events_search ATTACH PARTITION public.events_2026_03_at_idx1;
ALTER INDEX public.events_basket ATTACH PARTITION public.events_2026_03_basket_idx;
ALTER INDEX public.events_item ATTACH PARTITION public.events_2026_03_item_id_at_idx;
ALTER INDEX public.events_received ATTACH PARTITION public.events_2026_03_received_at_idx;
ALTER INDEX public.events_shopper ATTACH PARTITION public.events_2026_03_shopper_at_idx;
ALTER INDEX public.events_hidden ATTACH PARTITION public.events_2026_03_shopper_item_id_idx;
ALTER TABLE ONLY public.drift_measurements
    ADD CONSTRAINT drift_measurements_version_fkey FOREIGN KEY (version) REFERENCES public.model_versions(version);
ALTER TABLE ONLY public.live_models
    ADD CONSTRAINT live_models_version_fkey FOREIGN KEY (version) REFERENCES public.model_versions(version);
ALTER TABLE ONLY public.model_switches
    ADD CONSTRAINT model_switches_version_fkey FOREIGN KEY (version) REFERENCES public.model_versions(version);
