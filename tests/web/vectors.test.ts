import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../contract/vectors/messages.json";
import { type Case, PageUnderTest, sequences } from "./vectors";

const CASES = vectors.cases as unknown as readonly Case[];

test("the page's view follows from the events of every vector", () => {
  const wrong: string[] = [];
  for (const one of CASES) {
    for (const steps of sequences(one)) {
      const page = new PageUnderTest(one);
      try {
        steps.forEach((step) => page.apply(step));
        const found = page.shown();
        const compared = Object.fromEntries(Object.keys(one.view).map((name) => [name, found[name]]));
        assert.deepEqual(compared, one.view);
      } catch (error) {
        wrong.push(`${one.name}: ${JSON.stringify(steps)}\n${(error as Error).message}`);
      }
    }
  }
  assert.equal(wrong.length, 0, wrong.join("\n\n"));
});
