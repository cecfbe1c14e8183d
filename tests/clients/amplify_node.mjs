// Amplify in Node: `node amplify_node.mjs '<what talk is given, as JSON>'` prints what it returns.
import { talk } from './amplify_talk.mjs';

console.log(JSON.stringify(await talk(JSON.parse(process.argv[2]))));
process.exit(0);
