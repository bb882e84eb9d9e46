/** Stands between a client and a server, and does harm when a transaction commits. */

import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

/**
 * What becomes of the next COMMIT: the connection is cut before the server gets it, after it was sent on, or after the server has answered;
 * or it is held until `letGo`.
 */
export type Harm = "cut before" | "cut after" | "cut the reply" | "hold";

/** COMMIT as a simple query. */
const COMMIT = Buffer.from("Q\0\0\0\x0bCOMMIT\0", "latin1");

export class CommitProxy {
  /** Port of the server behind it; may change. */
  target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #harm: Harm | undefined;
  #struck = 0;
  #letGo: () => void = () => undefined;
  #onStrike: () => void = () => undefined;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
  }

  static async start(target: number): Promise<CommitProxy> {
    const server = createServer();
    const proxy = new CommitProxy(server, target);
    server.on("connection", (client) => proxy.#join(client));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** How often it did harm. */
  get struck(): number {
    return this.#struck;
  }

  /** `url` by way of this. */
  through(url: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return url.replace(/:\d+\//, `:${port}/`);
  }

  /** Resolves when it was done. */
  arm(harm: Harm): Promise<void> {
    this.#harm = harm;
    return new Promise((resolve) => {
      this.#onStrike = resolve;
    });
  }

  /** Sends on what is held. */
  letGo(): void {
    this.#letGo();
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #join(client: Socket): void {
    const server = connect(this.target, "127.0.0.1");
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
    }
    let hidesReply = false;
    client.on("data", (chunk) => {
      const harm = this.#harm;
      if (harm === undefined || !chunk.includes(COMMIT)) return void server.write(chunk);
      this.#harm = undefined;
      this.#struck++;
      if (harm === "hold") this.#letGo = () => server.write(chunk);
      else if (harm === "cut before") client.destroy();
      else {
        server.write(chunk);
        if (harm === "cut after") client.destroy();
        else hidesReply = true;
      }
      this.#onStrike();
    });
    server.on("data", (chunk) => {
      if (hidesReply) client.destroy();
      else client.write(chunk);
    });
    client.on("close", () => server.destroySoon());
    server.on("close", () => client.destroy());
  }
}
