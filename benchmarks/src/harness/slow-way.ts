/** A way to a server on this machine that takes longer, as if it were on another one. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface SlowWay {
  readonly port: number;
  close(): Promise<void>;
}

/** Everything that goes through arrives `delayMs` later, there and back together. Order is kept, and any number of bytes may be on the way. */
export async function openSlowWay(target: number, delayMs: number): Promise<SlowWay> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket.setNoDelay(true).on("error", () => undefined));
      socket.on("close", () => sockets.delete(socket));
    }
    client.pipe(upstream).on("close", () => client.destroy());
    delayed(upstream, client, delayMs);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function delayed(from: Socket, to: Socket, delayMs: number): void {
  const waiting: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  let isTurning = false;
  // Timers are too coarse for a millisecond: while something is on the way, every turn of the event loop looks at the clock.
  const turn = (): void => {
    const nowMs = performance.now();
    while (waiting[0] !== undefined && waiting[0].dueMs <= nowMs) to.write(waiting.shift()?.bytes ?? "");
    isTurning = waiting.length > 0;
    if (isTurning) setImmediate(turn);
  };
  from.on("data", (bytes: Buffer) => {
    waiting.push({ bytes, dueMs: performance.now() + delayMs });
    if (isTurning) return;
    isTurning = true;
    setImmediate(turn);
  });
  from.on("close", () => to.destroy());
}
