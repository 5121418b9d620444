// Messages by Segment's SDK for Node.js to the relay at argv[2], with the write key argv[3].
import { Analytics } from "@segment/analytics-node";

const [, , host, writeKey] = process.argv;
const analytics = new Analytics({ host, writeKey, flushAt: 7 });
analytics.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});
analytics.identify({ userId: "ada", traits: { name: "Ada", plan: "pro" } });
for (let number = 0; number < 20; number++) {
  analytics.track({ userId: "ada", event: "Clicked", properties: { number } });
}
analytics.page({ userId: "ada", name: "Home" });
analytics.screen({ userId: "ada", name: "Start" });
analytics.group({ userId: "ada", groupId: "g1", traits: { seats: 3 } });
analytics.alias({ userId: "ada", previousId: "anonymous-1" });
await analytics.closeAndFlush();
