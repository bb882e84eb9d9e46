/** A pool whose server can be made to seem gone: for one question, or for good. See `failing-pool.d.mts`. */

export class FailingPool {
  #pool;
  #isDead = false;
  #countdown;

  constructor(pool) {
    this.#pool = pool;
  }

  get options() {
    return { max: this.#pool.options.max };
  }

  kill() {
    this.#isDead = true;
  }

  failAt(nth) {
    this.#countdown = nth;
    return () => {
      const hasStruck = this.#countdown === undefined;
      this.#countdown = undefined;
      return hasStruck;
    };
  }

  async connect() {
    this.#check();
    const client = await this.#pool.connect();
    // COPY says what has failed by itself, and only to the object that was handed in.
    const query = (question, values) =>
      typeof question.submit === "function" ? client.query(question) : this.#asked(client, question, values);
    return Object.assign(Object.create(client), { query });
  }

  end() {
    return this.#pool.end();
  }

  on(event, listener) {
    return this.#pool.on(event, listener);
  }

  listenerCount(event) {
    return this.#pool.listenerCount(event);
  }

  async #asked(client, question, values) {
    this.#check();
    if (this.#countdown === 0) {
      this.#countdown = undefined;
      throw gone();
    }
    if (this.#countdown !== undefined) this.#countdown--;
    return client.query(question, values);
  }

  #check() {
    if (this.#isDead) throw gone();
  }
}

function gone() {
  return Object.assign(new Error("The connection is gone."), { code: "ECONNRESET" });
}
