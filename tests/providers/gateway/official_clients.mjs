// What OpenAI's JavaScript client and the Vercel AI SDK get from the gateway: node official_clients.mjs URL KEY MODULES
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [url, apiKey, modules, photo] = process.argv.slice(2);
const require = createRequire(`${modules}/../package.json`);
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const OpenAI = (await load("openai")).default;
const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
const { generateImage, experimental_generateImage } = await load("ai");

const baseURL = `${url}/openai/v1`;
const client = new OpenAI({ baseURL, apiKey });
const model = "sample-one";
const found = {};

async function attempt(name, work) {
  try {
    found[name] = await work();
  } catch (error) {
    found[name] = `${error.constructor.name} ${error.status ?? ""} ${error.code ?? ""} ${error.message}`;
  }
}
const size = (base64) => {
  const bytes = Buffer.from(base64, "base64");
  return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`;
};

await attempt("generates", async () => {
  const answer = await client.images.generate({ model, prompt: "A red kite", size: "96x64", n: 2, seed: 7, response_format: "b64_json" });
  return [...answer.data.map((image) => size(image.b64_json)), answer.metadata.provider];
});
await attempt("gets addresses", async () => {
  const answer = await client.images.generate({ model, prompt: "A red kite", size: "64x64" });
  return (await fetch(answer.data[0].url)).headers.get("content-type");
});
await attempt("edits", async () => {
  const image = await OpenAI.toFile(Buffer.from(photo, "base64"), "photo");
  const answer = await client.images.edit({ model, prompt: "Dusk", image: [image, image], size: "96x64", response_format: "b64_json" });
  return answer.data.map((each) => size(each.b64_json));
});
await attempt("streams", async () => {
  const types = [];
  for await (const event of await client.images.generate({ model, prompt: "Snow", size: "64x64", stream: true })) types.push(event.type);
  return types;
});
await attempt("lists models", async () => (await client.models.list()).data.map((each) => each.id));
await attempt("retrieves a model with a slash", async () => (await client.models.retrieve("simulated-openai/sample-one")).id);
await attempt("refuses", () => client.images.generate({ model: "sample-on", prompt: "x" }));
await attempt("fails", () => client.images.generate({ model, prompt: "x [sim:500]" }));
await attempt("the AI SDK", async () => {
  const provider = createOpenAICompatible({ name: "arena", baseURL, apiKey });
  const generate = generateImage ?? experimental_generateImage;
  const { images } = await generate({ model: provider.imageModel(model), prompt: "A red kite", size: "96x64" });
  return images.map((image) => size(image.base64));
});
console.log(JSON.stringify(found));
