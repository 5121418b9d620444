// What the page begins with.

const ORG = "o-1ABC-na1";

/** Page calls on a destination's own API. */
export function exampleCalls({ source }) {
  const api = FACTS.apis[source].global;
  return `// Page calls, as your code makes them; messages as JSON do, too.
${api}.identify("user-1001", { name: "Ada Brook", plan: "premium", logins: 5 });

${api}.page("Shop", "Boots", { colour: "yellow" });

${api}.track("Order Completed", {
  order_id: "2969302398",
  total: 149.5,
  currency: "EUR",
  products: [{ name: "Yellow cowboy boots", quantity: 1 }],
});
`;
}

/** The settings that a destination needs. */
export function exampleSettings({ org, settings }) {
  return settings.some(({ name }) => name === org) ? json({ [org]: ORG }) : json({});
}

/** `text` with the destination's presets as subscriptions, to be changed. */
export function withPresets(text, { presets }) {
  let settings = {};
  try {
    settings = JSON.parse(text || "{}");
  } catch {
    return null;
  }
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return json(presets);
  return json({ ...settings, subscriptions: presets });
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
