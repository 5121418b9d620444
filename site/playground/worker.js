// Python: Pyodide with the playground's modules, beside the page's own thread so that typing never waits for it.

const at = (file) => new URL(file, import.meta.url).href;

async function start() {
  const { loadPyodide } = await import(at("pyodide/pyodide.js"));
  const [pyodide, response] = await Promise.all([loadPyodide({ indexURL: at("pyodide/") }), fetch(at("playground.zip"))]);
  if (!response.ok) throw new Error(`playground.zip: ${response.status}`);
  pyodide.FS.writeFile("/playground.zip", new Uint8Array(await response.arrayBuffer()));
  pyodide.runPython("import sys; sys.path.insert(0, '/playground.zip')");
  return pyodide.pyimport("playground").run;
}

const starting = start();
starting.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ failed: error.message }),
);

addEventListener("message", async ({ data }) => {
  const run = await starting;
  try {
    postMessage({ answer: run(data) });
  } catch (error) {
    postMessage({ wrong: error.message });
  }
});
