-- What it takes to know who somebody is.

-- `!` is no hash of any password: accounts from before this migration cannot log in until they get one.
ALTER TABLE users ADD COLUMN password_hash text NOT NULL DEFAULT '!';
ALTER TABLE users ALTER COLUMN password_hash DROP DEFAULT;

-- One log-in through the API. All tokens that come of it name it, and end with it.
CREATE TABLE sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);

-- Each refresh token that was given out. It works once; a second use gives its session away as stolen.
CREATE TABLE refresh_tokens (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    used_at timestamptz
);

-- One log-in through the page. Only the hash of the cookie is kept: a stolen backup is no log-in.
CREATE TABLE web_sessions (
    id_hash bytea PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    csrf_token text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
CREATE INDEX web_sessions_user_id ON web_sessions (user_id);
