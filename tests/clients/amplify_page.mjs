// Amplify in a browser: bundled into a page, called from outside.
import { talk } from './amplify_talk.mjs';

window.talk = talk;
