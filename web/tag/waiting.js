/* The page's one queue, which counts what it has to drop. */

import { limits } from "./attributes.js";
import { Queue } from "./queue.js";
import { state } from "./state.js";

export const queue = new Queue(limits.calls, () => state.dropped++);
