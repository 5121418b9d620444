/* The vendors' APIs, as the build takes them from the sources in Python: name, global, methods that can wait. */

const { apis } = FACTS;

/* Those that a page may call: one, or all where the settings don't tell which is wanted. */
export function wanted(source) {
  const found = apis.filter(([name]) => name === source);
  return found.length ? found : apis;
}

/* Whether a method gives its object back, for the page to call others on. */
export const isChained = (method) => /^(on|once|off|emit|debug|use)$/.test(method);
