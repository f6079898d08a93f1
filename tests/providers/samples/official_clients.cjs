// Drives the simulator with the companies' own JavaScript clients and prints what came of each try, as JSON.
// node official_clients.cjs SIMULATOR_URL NODE_MODULES
const { createRequire } = require("node:module");
const path = require("node:path");

const [base, modules] = process.argv.slice(2);
const from = createRequire(path.join(modules, "x.js"));
const OpenAI = from("openai").default;
const { toFile } = from("openai");
const Replicate = from("replicate");
const { createFalClient } = from("@fal-ai/client");

const sizeOf = (bytes) => `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`; // of a PNG
const download = async (url) => sizeOf(Buffer.from(await (await fetch(url)).arrayBuffer()));
const inline = (text) => sizeOf(Buffer.from(text, "base64"));
const all = async (stream) => {
  const found = [];
  for await (const each of stream) found.push(each);
  return found;
};
const refused = async (work) => {
  try {
    await work();
  } catch (error) {
    return `${error.constructor.name} ${error.status ?? error.response?.status ?? ""} ${error.message}`.trim();
  }
  return "no error";
};

const openai = new OpenAI({ baseURL: `${base}/openai/v1`, apiKey: "sk-simulated", maxRetries: 0 });
const order = { model: "any", prompt: "a kite", size: "96x64" };

const replicate = new Replicate({ auth: "r8_simulated", baseUrl: `${base}/replicate/v1`, useFileOutput: false });
const input = { prompt: "a kite", width: 96, height: 64, output_format: "png" };
const kite = (more) => replicate.run("tests/kite", { input: { ...input, ...more } });

const hosts = { "queue.fal.run": "queue", "fal.run": "run", "rest.fal.ai": "rest", "rest.alpha.fal.ai": "rest" };
const fal = createFalClient({
  credentials: "id:secret",
  requestMiddleware: async (request) => {
    const url = new URL(request.url);
    const place = hosts[url.hostname];
    return place ? { ...request, url: `${base}/fal/${place}${url.pathname}${url.search}` } : request;
  },
});
const falInput = { prompt: "a kite", image_size: { width: 96, height: 64 } };

async function source() {
  const answer = await openai.images.generate({ ...order, prompt: "a source" });
  return Buffer.from(answer.data[0].b64_json, "base64");
}

const tries = {
  "openai generates": async () => {
    const answer = await openai.images.generate({ ...order, n: 2 });
    return [...answer.data.map((image) => inline(image.b64_json)), typeof answer._request_id];
  },
  "openai edits": async () => {
    const image = await toFile(await source(), "one.png", { type: "image/png" });
    const answer = await openai.images.edit({ ...order, image: [image, image] });
    return answer.data.map((each) => inline(each.b64_json));
  },
  "openai streams": async () => {
    const events = await all(await openai.images.generate({ ...order, stream: true }));
    return events.map((event) => `${event.type} ${inline(event.b64_json)}`);
  },
  "openai lists models": async () => (await openai.models.list()).data.length > 0,
  ...Object.fromEntries(
    ["policy", "401", "403", "404", "429", "500"].map((fault) => [
      `openai refuses ${fault}`,
      () => refused(() => openai.images.generate({ ...order, prompt: `a kite [sim:${fault}]` })),
    ]),
  ),
  "replicate runs": async () => Promise.all((await kite()).map(download)),
  "replicate polls": async () => Promise.all((await kite({ prompt: "a kite [sim:no-wait] [sim:queue=0.1]" })).map(download)),
  "replicate fails": () => refused(() => kite({ prompt: "a kite [sim:policy]" })),
  "replicate refuses": () => refused(() => kite({ prompt: "a kite [sim:402]" })),
  "replicate aborts": async () => (await kite({ prompt: "a kite [sim:aborted]" })) ?? "nothing",
  "replicate cancels": async () => {
    const prediction = await replicate.predictions.create({
      version: "a".repeat(64),
      input: { ...input, prompt: "a kite [sim:slow=30]" },
    });
    await replicate.predictions.cancel(prediction.id);
    return (await replicate.predictions.get(prediction.id)).status;
  },
  "replicate takes files": async () => {
    const file = await replicate.files.create(new Blob([await source()], { type: "image/png" }));
    return Promise.all((await kite({ images: [file.urls.get] })).map(download));
  },
  "fal subscribes": async () => {
    const heard = new Set();
    const answer = await fal.subscribe("tests/kite/fast", {
      input: { ...falInput, prompt: "a kite [sim:queue=0.3] [sim:slow=0.6]" },
      pollInterval: 50,
      onQueueUpdate: (update) => heard.add(update.status),
    });
    return [await download(answer.data.images[0].url), ...[...heard].sort()];
  },
  "fal runs": async () => download((await fal.run("tests/kite/fast", { input: falInput })).data.images[0].url),
  "fal uploads": async () => {
    const image = new Blob([await source()], { type: "image/png" }); // uploaded by the client itself
    const answer = await fal.run("tests/kite/edit", { input: { ...falInput, image_urls: [image] } });
    return download(answer.data.images[0].url);
  },
  "fal cancels": async () => {
    const { request_id } = await fal.queue.submit("tests/kite/fast", {
      input: { ...falInput, prompt: "a kite [sim:slow=30]" },
    });
    await fal.queue.cancel("tests/kite/fast", { requestId: request_id });
    return (await fal.queue.status("tests/kite/fast", { requestId: request_id })).status;
  },
  ...Object.fromEntries(
    ["missing", "policy", "401", "fail-after-queue=500"].map((fault) => [
      `fal refuses ${fault}`,
      () =>
        refused(() => fal.subscribe("tests/kite/fast", { input: { ...falInput, prompt: `a kite [sim:${fault}]` }, pollInterval: 50 })),
    ]),
  ),
};

(async () => {
  const found = {};
  for (const [name, work] of Object.entries(tries)) {
    try {
      found[name] = await work();
    } catch (error) {
      found[name] = `failed: ${error.stack}`;
    }
  }
  process.stdout.write(JSON.stringify(found));
})();
