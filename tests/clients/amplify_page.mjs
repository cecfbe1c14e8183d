// Amplify in a browser: bundled into a page, called by amplify_chromium.mjs.
import { converse } from './amplify_conversation.mjs';

window.converse = converse;
