// Amplify in Node: `node amplify_node.mjs '<JSON list of what talk is given>'` prints what each talk returned, or {failure}.
import { talk } from './amplify_talk.mjs';

for (const given of JSON.parse(process.argv[2])) {
  const result = await talk(given).catch((error) => ({ failure: String(error.stack ?? error) }));
  console.log(JSON.stringify(result));
}
process.exit(0);
