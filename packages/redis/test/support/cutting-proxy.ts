/** A way to a server that is cut where a test says. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes that still go through, of what clients send and of what the server answers. */
  #requestBytes = Number.POSITIVE_INFINITY;
  #replyBytes = Number.POSITIVE_INFINITY;
  cuts = 0;
  /** The port that new connections lead to. */
  target: number;

  private constructor(target: number) {
    this.target = target;
    this.#server = createServer((client) => {
      const server = connect(this.target, "127.0.0.1");
      for (const socket of [client, server]) {
        this.#sockets.add(socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket)));
      }
      client.on("data", (bytes: Buffer) => this.#pass(bytes, server, client, "request"));
      server.on("data", (bytes: Buffer) => this.#pass(bytes, client, server, "reply"));
      client.on("close", () => server.destroy());
      server.on("close", () => client.destroy());
    });
  }

  static async open(target: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** After so many more bytes of requests the connection is cut, once. */
  cutRequestsAfter(bytes: number): void {
    this.#requestBytes = bytes;
  }

  cutRepliesAfter(bytes: number): void {
    this.#replyBytes = bytes;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #pass(bytes: Buffer, to: Socket, from: Socket, what: "request" | "reply"): void {
    const left = what === "request" ? this.#requestBytes : this.#replyBytes;
    const rest = left - bytes.length;
    if (rest >= 0) {
      to.write(bytes);
    } else {
      this.cuts += 1;
      // What was sent so far arrives, then the connection ends: to whom it came the server answers, and nobody hears it.
      to.end(bytes.subarray(0, left));
      from.destroy();
    }
    if (what === "request") this.#requestBytes = rest < 0 ? Number.POSITIVE_INFINITY : rest;
    else this.#replyBytes = rest < 0 ? Number.POSITIVE_INFINITY : rest;
  }
}
