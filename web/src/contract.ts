/** The public contract, generated from `contract/`: the page declares no wire types of its own. */
export * from "../../contract/generated/types";
