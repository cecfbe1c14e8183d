/** The settings of the page: addresses and ids of the backend, served beside the page as `config.json`. */

export interface DemoUser {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

export interface Config {
  readonly region: string;
  readonly userPoolId: string;
  readonly userPoolClientId: string;
  /** Address of Cognito where it is not AWS's own, as on a local cloud. */
  readonly userPoolEndpoint?: string;
  /** Address of the HTTP API, without the path of a route. */
  readonly apiUrl: string;
  /** The Event API's HTTP endpoint, ending in `/event`. */
  readonly eventsHttpEndpoint: string;
  readonly demoUsers: readonly DemoUser[];
}

export class ConfigError extends Error {}

const REQUIRED = ["region", "userPoolId", "userPoolClientId", "apiUrl", "eventsHttpEndpoint"] as const;

/** Validate the content of `config.json`; the error names every missing field. */
export function parseConfig(value: unknown): Config {
  if (typeof value !== "object" || value === null) {
    throw new ConfigError("config.json is not a JSON object.");
  }
  const fields = value as Record<string, unknown>;
  const missing = REQUIRED.filter((name) => typeof fields[name] !== "string" || fields[name] === "");
  if (missing.length > 0) {
    throw new ConfigError(`Missing in config.json: ${missing.join(", ")}.`);
  }
  const text = (name: (typeof REQUIRED)[number]): string => fields[name] as string;
  return {
    region: text("region"),
    userPoolId: text("userPoolId"),
    userPoolClientId: text("userPoolClientId"),
    ...(typeof fields["userPoolEndpoint"] === "string" && fields["userPoolEndpoint"] !== ""
      ? { userPoolEndpoint: fields["userPoolEndpoint"] }
      : {}),
    apiUrl: text("apiUrl").replace(/\/+$/, ""),
    eventsHttpEndpoint: text("eventsHttpEndpoint"),
    demoUsers: Array.isArray(fields["demoUsers"]) ? fields["demoUsers"].filter(isDemoUser) : [],
  };
}

function isDemoUser(value: unknown): value is DemoUser {
  const user = value as Partial<DemoUser> | null;
  return typeof user?.email === "string" && typeof user.password === "string" && typeof user.name === "string";
}

/** Load `config.json` from the directory of the page. */
export async function loadConfig(): Promise<Config> {
  let response: Response;
  try {
    response = await fetch("config.json", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
  } catch {
    throw new ConfigError("The page could not load config.json. Is the server that sent the page still running?");
  }
  if (!response.ok) {
    throw new ConfigError(`The server has no config.json (status ${response.status}). Deploy the backend first.`);
  }
  let value: unknown;
  try {
    value = await response.json();
  } catch {
    throw new ConfigError("config.json is not JSON.");
  }
  return parseConfig(value);
}
