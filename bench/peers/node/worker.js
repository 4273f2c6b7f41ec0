// Takes hooks from the queue and does the work, many at a time: they mostly wait for the platform.
import { Worker } from "bullmq";
import { connection } from "./redis.js";
import { decode, validate, fanOut, send } from "./work.js";

const worker = new Worker(
  "hooks",
  async (job) => {
    await send(fanOut(job.name, validate(decode(job.data.raw))));
  },
  { connection: connection({ maxRetriesPerRequest: null }), concurrency: Number(process.env.PEER_CONCURRENCY) },
);

worker.on("failed", (job, error) => console.error(`job ${job?.id} failed: ${error.name}`));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => worker.close().then(() => process.exit(0)));
