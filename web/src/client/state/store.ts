/** Holds the state and calls listeners after each change. */

import type { Action } from "./actions";
import { reduce } from "./reducer";
import { type State, initialState } from "./state";

export class Store {
  private current: State;
  private readonly listeners = new Set<() => void>();

  constructor(me: string) {
    this.current = initialState(me);
  }

  get state(): State {
    return this.current;
  }

  dispatch(action: Action): State {
    this.current = reduce(this.current, action);
    for (const listener of this.listeners) {
      listener();
    }
    return this.current;
  }

  /** Call `listener` after every change; returns a function that ends this. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
