// The same work as in `worker.js`, with everything kept in PostgreSQL before it is sent, and each hook sent once.
import { Worker } from "bullmq";
import { markSent, openLedger, record } from "./ledger.js";
import { connection } from "./redis.js";
import { decode, validate, fanOut, send } from "./work.js";

const LEDGER_CONNECTIONS = 16;
const ledger = await openLedger(process.env.PEER_DATABASE, LEDGER_CONNECTIONS);
const worker = new Worker(
  "hooks",
  async (job) => {
    const data = validate(decode(job.data.raw));
    const messages = fanOut(job.name, data);
    const eventId = await record(ledger, job.name, job.data.raw, data, messages);
    if (eventId === undefined) return;
    await send(messages);
    await markSent(ledger, eventId);
  },
  { connection: connection({ maxRetriesPerRequest: null }), concurrency: Number(process.env.PEER_CONCURRENCY) },
);

worker.on("failed", (job, error) => console.error(`job ${job?.id} failed: ${error.message}`));
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => worker.close().then(() => ledger.end()).then(() => process.exit(0)));
}
