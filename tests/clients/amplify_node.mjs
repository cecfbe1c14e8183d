// Runs `converse` in Node: `node amplify_node.mjs '<JSON list of arguments>'` prints each result, or {failure}.
import { converse } from './amplify_conversation.mjs';

for (const given of JSON.parse(process.argv[2])) {
  const result = await converse(given).catch((error) => ({ failure: String(error.stack ?? error) }));
  console.log(JSON.stringify(result));
}
process.exit(0);
