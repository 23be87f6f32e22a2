-- Orders, and what belongs to them.
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    event text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What can be downloaded. The object's key is `files/ID`; the name is only what a browser is told.
CREATE TABLE files (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What somebody wants to bring. While it is pending, its object is `incoming/ID`, or there are parts of one; once it is
-- complete, it is the file with the same id.
CREATE TABLE uploads (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    -- Of an upload in parts: how long each is, and the store's name for the whole, once it has one.
    part_size bigint CHECK (part_size > 0),
    multipart_id text,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'complete', 'failed', 'expired', 'cancelled')),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX uploads_pending ON uploads (expires_at) WHERE state = 'pending';

-- Tickets to be printed: one for an order, however often it is asked for.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL UNIQUE REFERENCES orders,
    owner text NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    -- How often it was begun, and how often it failed by its own fault.
    tries integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    -- The file that the newest try writes. Only this try may finish the job.
    printing uuid,
    file_id uuid REFERENCES files,
    error text,
    -- When the broker confirmed that it has the job.
    published_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX jobs_unpublished ON jobs (created_at) WHERE published_at IS NULL;
CREATE INDEX jobs_printing ON jobs (printing) WHERE state = 'running';

-- Who sweeps: one row. Each new holder gets a greater token, and what it writes is refused as soon as there is a greater one.
CREATE TABLE sweeper (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    token bigint NOT NULL DEFAULT 0,
    until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO sweeper DEFAULT VALUES;

CREATE TABLE sweeps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token bigint NOT NULL,
    removed bigint NOT NULL,
    swept_at timestamptz NOT NULL DEFAULT now()
);
