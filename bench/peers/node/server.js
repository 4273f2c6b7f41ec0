// Takes a hook and puts it into a BullMQ queue, as the documentation of both shows it.
import Fastify from "fastify";
import { Queue } from "bullmq";
import { connection } from "./redis.js";

const queue = new Queue("hooks", {
  connection: connection({ maxRetriesPerRequest: 1 }),
  defaultJobOptions: { attempts: 5, backoff: { type: "exponential", delay: 1000 }, removeOnComplete: true },
});

const app = Fastify({ bodyLimit: 5_000_000 });
app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => done(null, body));
app.get("/healthz", async () => ({ ok: true }));
app.post("/hooks/:store/:token/:event", async (request, reply) => {
  await queue.add(request.params.event, { raw: request.body });
  reply.code(202);
  return { ok: true };
});

await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
