// What the vendors' own code does with the same messages, on Node.js. Prints figures as JSON, as work.py does.
//
// node vendors.mjs map FILE COUNT    Segment's cloud destination, with a request client that only takes what it gets
// node vendors.mjs send FILE         FullStory's client, 16 requests at a time; FS_API_HOST with NODE_ENV=test says where

import { createReadStream, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { createInterface } from "node:readline"

const require = createRequire(import.meta.url)
const CONNECTIONS = 16

function cpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function peak() {
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024
}

async function map(file, count) {
  const { Destination } = require("@segment/actions-core")
  const { default: definition } = require("@segment/action-destinations/dist/destinations/fullstory")
  const messages = readFileSync(file, "utf8").trim().split("\n").map(line => JSON.parse(line))
  const subscriptions = definition.presets.map(({ name, subscribe, partnerAction, mapping }) => ({
    name, subscribe, partnerAction, mapping, enabled: true,
  }))
  const settings = { apiKey: "na1.key", subscriptions }

  async function measure(write) {
    let made = 0
    let first
    const request = async (url, { json }) => {
      const body = write ? JSON.stringify(json) : undefined
      made += 1
      first ??= body
      return {}
    }
    const destination = new Destination(definition)
    for (const action of Object.values(destination.actions)) action.createRequestClient = () => request
    const run = async times => {
      for (let number = 0; number < times; number++) await destination.onEvent(messages[number % messages.length], settings)
    }
    await run(Math.ceil(count / 4)) // until it is compiled
    made = 0
    const before = cpu()
    await run(count)
    const took = cpu() - before
    if (made !== count) throw new Error(`${made} requests of ${count} messages`)
    return { rate: count / took, first }
  }

  const plain = await measure(false)
  const written = await measure(true)
  return { plain: plain.rate, written: written.rate, first: JSON.parse(written.first), MB: peak() }
}

async function send(file) {
  // It names no content type, which the stand-in insists on, as FullStory's documentation does.
  const https = require("node:https")
  const { request } = https
  const type = { "content-type": "application/json" }
  https.request = options => request({ ...options, headers: { ...options.headers, ...type } })

  const { init } = require("@fullstory/server-api-client")
  const { events, users } = init({ apiKey: "na1.stand-in-key" })
  const lines = createInterface({ input: createReadStream(file) })[Symbol.asyncIterator]()
  let messages = 0

  // It maps nothing: its users write the bodies themselves.
  function sent({ type, userId, event, timestamp, messageId, properties, traits }) {
    const idempotencyKey = messageId
    if (type === "track") {
      return events.create({ body: { name: event, properties, user: { uid: userId }, timestamp }, idempotencyKey })
    }
    const { name, email } = traits
    return users.create({ body: { uid: userId, email, display_name: name, properties: traits }, idempotencyKey })
  }

  async function connection() {
    for (;;) {
      const { done, value } = await lines.next()
      if (done) return
      await sent(JSON.parse(value))
      messages += 1
    }
  }

  const [began, before] = [performance.now(), cpu()]
  await Promise.all(Array.from({ length: CONNECTIONS }, connection))
  const seconds = (performance.now() - began) / 1000
  return { rate: messages / seconds, cpu: (cpu() - before) / messages, MB: peak() }
}

const [what, file, count] = process.argv.slice(2)
console.log(JSON.stringify(await (what === "map" ? map(file, Number(count)) : send(file))))
process.exit() // connections that are kept open
