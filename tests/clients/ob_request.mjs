// ob-appsync-events-request publishes as IAM, with credentials from the environment.
// `node ob_request.mjs URL PORT REGION CHANNEL FILE` (a JSON list of events) prints status and body of the answer.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { PublishRequest } from 'ob-appsync-events-request/dist/index.mjs'; // its `main` names a file that it lacks

const [url, port, region, channel, file] = process.argv.slice(2);
const request = await PublishRequest.signed({ url, region }, channel, ...JSON.parse(readFileSync(file, 'utf8')));

// The client signs the host without a port, since AWS's hosts have none. The request is sent unchanged; only the host's
// name is resolved to this machine.
const lookup = (name, options, found) => found(null, '127.0.0.1', 4);
const headers = { ...Object.fromEntries(request.headers), host: new URL(request.url).host };
const sent = http.request(request.url, { method: request.method, headers, port, lookup, autoSelectFamily: false });
sent.end(Buffer.from(await request.arrayBuffer()));
sent.on('response', async (answer) => {
  const parts = [];
  for await (const part of answer) parts.push(part);
  console.log(JSON.stringify({ status: answer.statusCode, body: JSON.parse(Buffer.concat(parts).toString()) }));
});
