/** The public contract, generated from the models of the route functions: the page declares no wire type of its own. */
export * from "../../contract/generated/types";
