// One way to reach Redis for server and worker.
import { Redis } from "ioredis";

export function connection(options) {
  return new Redis(process.env.PEER_REDIS, options);
}
