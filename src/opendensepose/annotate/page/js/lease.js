// Extends the lease while the person is open, and notices changes made elsewhere.
import { post } from "./api.js";

const HEARTBEAT_MS = 20000;

export class Lease {
  constructor(queue, id, onLost) {
    this.timer = setInterval(() => this.beat(), HEARTBEAT_MS);
    Object.assign(this, { queue, id, onLost });
  }

  async beat() {
    const { version: before } = this.queue;
    // Else it is this page's own change, which the heartbeat has overtaken.
    const isQuiet = () => this.queue.state === "saved" && this.queue.version === before && !this.stopped;
    try {
      const { version } = await post(`/api/tasks/${this.id}/lease`);
      if (isQuiet() && version !== before) this.onLost({ status: 409, body: { version } });
    } catch (error) {
      if (error.status === 409 && isQuiet()) this.onLost(error);
    }
  }

  stop() {
    this.stopped = true;
    clearInterval(this.timer);
  }
}
