// Asks the worker's Python. While it is at work only the newest question waits: an older one has lost its interest.

export class Python {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #asked = null; // the question it is at work on
  #waiting = null;
  #ready = false;

  /** `answered(question, answer)` is called with objects, `failed(text)` when there is no Python to be had. */
  constructor(answered, failed) {
    this.#worker.addEventListener("error", (event) => failed(event.message || "its script could not be loaded"));
    this.#worker.addEventListener("message", ({ data }) => {
      if (data.failed) return failed(data.failed);
      if (data.ready) this.#ready = true;
      else {
        const question = this.#asked;
        this.#asked = null;
        if (data.wrong) answered(question, { settings: [{ text: data.wrong, path: [] }], results: [] });
        else answered(question, JSON.parse(data.answer));
      }
      this.#next();
    });
  }

  /** Whether an answer is still to come. */
  get busy() {
    return Boolean(this.#asked || this.#waiting);
  }

  ask(question) {
    this.#waiting = question;
    this.#next();
  }

  #next() {
    if (!this.#ready || this.#asked || !this.#waiting) return;
    this.#asked = this.#waiting;
    this.#waiting = null;
    this.#worker.postMessage(JSON.stringify(this.#asked.request));
  }
}
