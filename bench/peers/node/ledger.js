// Keeps in PostgreSQL what came and what left: hooks, people, events and messages. A repeated hook changes nothing.
import { createHash } from "node:crypto";
import pg from "pg";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS people (
  id bigserial PRIMARY KEY, customer_id text UNIQUE, email text UNIQUE, attributes jsonb NOT NULL, known_at timestamptz
);
CREATE TABLE IF NOT EXISTS events (
  id bigserial PRIMARY KEY, happening text NOT NULL UNIQUE, name text NOT NULL, raw text NOT NULL, data jsonb NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS events_by_time ON events (received_at);
CREATE TABLE IF NOT EXISTS messages (
  id bigserial PRIMARY KEY, event_id bigint NOT NULL REFERENCES events, person_id bigint NOT NULL REFERENCES people,
  message jsonb NOT NULL, status text NOT NULL DEFAULT 'pending', sent_at timestamptz, UNIQUE (event_id, person_id)
);
CREATE INDEX IF NOT EXISTS messages_of_person ON messages (person_id);
CREATE INDEX IF NOT EXISTS messages_waiting ON messages (id) WHERE status = 'pending';
`;
const INSERT_EVENT = {
  name: "event",
  text: `INSERT INTO events (happening, name, raw, data) VALUES ($1, $2, $3, $4)
    ON CONFLICT (happening) DO NOTHING RETURNING id`,
};
const UPSERT_PERSON = Object.fromEntries(
  [["id", "customer_id"], ["email", "email"]].map(([key, column]) => [
    key,
    {
      name: `person ${column}`,
      text: `INSERT INTO people (${column}, attributes, known_at) VALUES ($1, $2, now())
        ON CONFLICT (${column}) DO UPDATE SET attributes = people.attributes || excluded.attributes RETURNING id`,
    },
  ]),
);
const INSERT_MESSAGE = {
  name: "message",
  text: "INSERT INTO messages (event_id, person_id, message) VALUES ($1, $2, $3)",
};
const MARK_SENT = {
  name: "sent",
  text: "UPDATE messages SET status = 'sent', sent_at = now() WHERE event_id = $1",
};
const FIND_EVENT = {
  name: "earlier event",
  text: `SELECT id, EXISTS (SELECT FROM messages WHERE event_id = events.id AND status = 'pending') AS waits
    FROM events WHERE happening = $1`,
};

export async function openLedger(url, connections) {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  await pool.query(SCHEMA);
  return pool;
}

// Returns the event's id, or undefined if it is known already and was sent: then there is nothing to do.
export async function record(pool, event, raw, data, messages) {
  const happening = createHash("sha256").update(event).update("\0").update(raw).digest("hex");
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const { rows } = await client.query({ ...INSERT_EVENT, values: [happening, event, raw, data] });
    if (rows.length === 0) {
      const known = await client.query({ ...FIND_EVENT, values: [happening] });
      await client.query("COMMIT");
      return known.rows[0].waits ? known.rows[0].id : undefined;
    }
    for (const message of messages) {
      const [key, value] = Object.entries(message.identifiers)[0];
      const person = await client.query({ ...UPSERT_PERSON[key], values: [value, message.attributes] });
      await client.query({ ...INSERT_MESSAGE, values: [rows[0].id, person.rows[0].id, message] });
    }
    await client.query("COMMIT");
    return rows[0].id;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

export async function markSent(pool, eventId) {
  await pool.query({ ...MARK_SENT, values: [eventId] });
}
