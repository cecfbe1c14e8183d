/** Sign-up, sign-in and tokens: Amplify Auth with the user pool, and texts for its errors. */

import { Amplify } from "aws-amplify";
import { confirmSignUp, fetchAuthSession, resendSignUpCode, signIn, signOut, signUp } from "aws-amplify/auth";
import { cognitoUserPoolsTokenProvider } from "aws-amplify/auth/cognito";
import { sessionStorage } from "aws-amplify/utils";
import type { Config } from "../config";
import { ApiError } from "./api";
import { socketEndpoint } from "./endpoint";

/** Configure Amplify for the backend. Tokens are stored per tab, so that two tabs can be two users. */
export function configureAmplify(config: Config): void {
  Amplify.configure({
    Auth: {
      Cognito: {
        userPoolId: config.userPoolId,
        userPoolClientId: config.userPoolClientId,
        ...(config.userPoolEndpoint ? { userPoolEndpoint: config.userPoolEndpoint } : {}),
      },
    },
    API: {
      Events: {
        endpoint: socketEndpoint(config.eventsHttpEndpoint),
        region: config.region,
        defaultAuthMode: "userPool",
      },
    },
  });
  cognitoUserPoolsTokenProvider.setKeyValueStorage(sessionStorage);
}

/** The next step of the user. */
export type SignInStep = "done" | "confirm";

const MESSAGES: Readonly<Record<string, string>> = {
  NotAuthorizedException: "The e-mail address or the password is wrong.",
  UserNotFoundException: "The e-mail address or the password is wrong.",
  UsernameExistsException: "An account with this e-mail address exists already.",
  CodeMismatchException: "The code is wrong.",
  ExpiredCodeException: "The code has expired. Request a new one.",
  LimitExceededException: "Too many attempts. Wait a few minutes and try again.",
  TooManyRequestsException: "Too many attempts. Wait a moment and try again.",
  NetworkError: "The sign-in service could not be reached. Is the backend running?",
};

/** An error of the user pool, with a text for the user. */
export class AuthError extends Error {}

async function withErrorText<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    const { name, message } = error as Error;
    throw new AuthError(MESSAGES[name] ?? message, { cause: error });
  }
}

/** Sign in by SRP: the password is not sent. */
export async function signInWith(email: string, password: string): Promise<SignInStep> {
  const { isSignedIn, nextStep } = await withErrorText(signIn({ username: email, password }));
  if (isSignedIn) {
    return "done";
  }
  if (nextStep.signInStep === "CONFIRM_SIGN_UP") {
    return "confirm";
  }
  throw new AuthError(`This account needs a step that this page does not offer (${nextStep.signInStep}).`);
}

export interface NewAccount {
  readonly email: string;
  readonly password: string;
  readonly firstName: string;
  readonly lastName: string;
}

/** Create an account; `confirm` means that a code was sent by e-mail. */
export async function signUpWith(account: NewAccount): Promise<SignInStep> {
  const { nextStep } = await withErrorText(
    signUp({
      username: account.email,
      password: account.password,
      options: {
        userAttributes: {
          email: account.email,
          given_name: account.firstName,
          ...(account.lastName ? { family_name: account.lastName } : {}),
        },
      },
    })
  );
  return nextStep.signUpStep === "CONFIRM_SIGN_UP" ? "confirm" : "done";
}

export async function confirmAccount(email: string, code: string): Promise<void> {
  await withErrorText(confirmSignUp({ username: email, confirmationCode: code }));
}

export async function resendCode(email: string): Promise<void> {
  await withErrorText(resendSignUpCode({ username: email }));
}

/** Delete the tokens of this tab, and revoke them at the user pool if it can be reached. */
export async function signOutHere(): Promise<void> {
  try {
    await signOut();
  } catch {
    // The user pool could not be reached; the tokens of this tab are deleted all the same.
  }
  window.sessionStorage.clear();
}

/** Return the id of the signed-in user (the token's `sub`), or null. */
export async function currentUser(): Promise<string | null> {
  const { tokens } = await fetchAuthSession();
  return tokens?.accessToken.payload.sub ?? null;
}

/** Return an access token that has not expired. */
export async function accessToken({ refresh }: { readonly refresh: boolean }): Promise<string> {
  let token: string | undefined;
  try {
    token = (await fetchAuthSession({ forceRefresh: refresh })).tokens?.accessToken.toString();
  } catch (error) {
    if ((error as Error).name === "NetworkError") {
      throw new ApiError(0, "NETWORK", "The sign-in service could not be reached.");
    }
  }
  if (token === undefined) {
    throw new ApiError(401, "UNAUTHENTICATED", "The session has ended. Sign in again.");
  }
  return token;
}
