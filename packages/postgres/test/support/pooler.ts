/**
 * A pooler in transaction mode: all clients share one connection to the server, which each has for as long as a transaction takes.
 *
 * Clients are admitted without a password, and so must be the pooler by the server.
 */

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

const READY = 0x5a;
const IDLE = 0x49;
const GOODBYE = 0x58;
/** Messages that the server answers with ReadyForQuery: a simple query, and Sync. */
const ASKING: ReadonlySet<number | undefined> = new Set([0x51, 0x53]);

export class Pooler {
  readonly #server: Server;
  readonly #upstream: Upstream;
  readonly #clients = new Set<Socket>();

  private constructor(server: Server, upstream: Upstream) {
    this.#server = server;
    this.#upstream = upstream;
  }

  static async start(port: number, user: string): Promise<Pooler> {
    const upstream = await Upstream.open(port, user);
    const server = createServer();
    const pooler = new Pooler(server, upstream);
    server.on("connection", (client) => pooler.#join(client));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return pooler;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many transactions the connection was given to. */
  get transactions(): number {
    return this.#upstream.transactions;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    this.#upstream.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    this.#clients.add(client);
    client.setNoDelay(true);
    client.on("error", () => undefined);
    client.on("close", () => {
      this.#clients.delete(client);
      this.#upstream.leave(client);
    });
    let hasStarted = false;
    const messages = new Messages();
    client.on("data", (chunk) => {
      if (hasStarted) {
        for (const message of messages.of(chunk)) {
          // A goodbye is the client's alone.
          if (message[0] !== GOODBYE) this.#upstream.send(client, message);
        }
        return;
      }
      hasStarted = true;
      const admitted = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, READY, 0, 0, 0, 5, IDLE]);
      client.write(admitted);
    });
  }
}

/** Whole messages of a stream of bytes. */
class Messages {
  #parts: Buffer[] = [];
  #length = 0;

  *of(chunk: Buffer): Generator<Buffer, void, undefined> {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= 5) {
      if ((this.#parts[0] as Buffer).length < 5) this.#join();
      const end = 1 + (this.#parts[0] as Buffer).readInt32BE(1);
      if (this.#length < end) return;
      const all = this.#join();
      yield all.subarray(0, end);
      this.#parts = [all.subarray(end)];
      this.#length -= end;
    }
  }

  #join(): Buffer {
    const all = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    this.#parts = [all];
    return all;
  }
}

class Upstream {
  readonly #socket: Socket;
  #holder: Socket | undefined;
  #waiting: { readonly client: Socket; readonly message: Buffer }[] = [];
  /** Answers that the holder, or the pooler in its place, waits for. */
  #asked = 0;
  transactions = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number, user: string): Promise<Upstream> {
    const socket = connect(port, "127.0.0.1");
    const upstream = new Upstream(socket);
    socket.setNoDelay(true);
    const messages = new Messages();
    socket.on("error", () => undefined);
    const body = Buffer.from(`user\0${user}\0database\0postgres\0\0`);
    const head = Buffer.alloc(8);
    head.writeInt32BE(body.length + 8, 0);
    head.writeInt32BE(196_608, 4);
    socket.write(Buffer.concat([head, body]));
    upstream.#asked = 1;
    await new Promise<void>((resolve) => {
      socket.on("data", (chunk) => {
        for (const message of messages.of(chunk)) {
          upstream.#answer(message);
          if (message[0] === READY) resolve();
        }
      });
    });
    return upstream;
  }

  send(client: Socket, message: Buffer): void {
    if (this.#holder !== client && (this.#holder !== undefined || this.#asked > 0)) {
      this.#waiting.push({ client, message });
      return;
    }
    if (this.#holder === undefined) this.transactions++;
    this.#holder = client;
    if (ASKING.has(message[0])) this.#asked++;
    this.#socket.write(message);
  }

  /** What it has begun is taken back in its place. */
  leave(client: Socket): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.client !== client);
    if (this.#holder !== client) return;
    // Sync first: what is incomplete is thrown away with that.
    this.#asked += 2;
    this.#socket.write(Buffer.from("S\0\0\0\x04Q\0\0\0\x0dROLLBACK\0", "latin1"));
  }

  close(): void {
    this.#socket.destroy();
  }

  #answer(message: Buffer): void {
    if (this.#holder?.writable === true) this.#holder.write(message);
    if (message[0] !== READY) return;
    this.#asked--;
    if (this.#asked > 0 || message[5] !== IDLE) return;
    this.#holder = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const next of waiting) this.send(next.client, next.message);
  }
}
