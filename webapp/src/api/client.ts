/**
 * Requests to one printer's part of the host. Knows URLs, timeouts and error bodies; the other files of this
 * folder know the nouns.
 */

/** The host answers within milliseconds; after this many something is wrong between it and us. */
const TIMEOUT_MS = 10_000;

const UNREACHABLE = "Bedplate does not answer. Is the host running, and this device on its network?";

/** What a status means where the host sent no sentence of its own. */
const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: "The host did not understand the request.",
  403: "You are not allowed to do that.",
  404: "That is not there any more.",
  409: "The printer can't do that in its present state.",
  413: "The file is too large.",
  415: "This kind of file can't be printed.",
  507: "The host's disk is full.",
};

/** A request that did not succeed; `message` is a sentence for people. `status` is 0 where no answer came. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Options of an upload. `progress` is called with the sent part, from 0 to 1. */
export interface UploadOptions {
  readonly progress: (part: number) => void;
  readonly signal: AbortSignal;
}

export class Client {
  /** `base`: absolute URL of the printer's routes, with a slash at its end. */
  constructor(readonly base: string) {}

  /** The absolute URL of a route or file of the host. */
  url(path: string): string {
    return new URL(path, this.base).href;
  }

  get<T>(path: string): Promise<T> {
    return this.send<T>("GET", path);
  }

  post<T = void>(path: string, body: object, timeout = TIMEOUT_MS): Promise<T> {
    return this.send<T>("POST", path, body, timeout);
  }

  delete(path: string): Promise<void> {
    return this.send<void>("DELETE", path);
  }

  private async send<T>(method: string, path: string, body?: object, timeout = TIMEOUT_MS): Promise<T> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeout);
    try {
      const isForm = body instanceof FormData;
      const response = await fetch(this.url(path), {
        method,
        cache: "no-store",
        credentials: "same-origin",
        signal: abort.signal,
        ...(body && !isForm ? { headers: { "Content-Type": "application/json" } } : {}),
        ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      if (!response.ok) throw new ApiError(errorText(response.status, text), response.status);
      return (text === "" ? undefined : JSON.parse(text)) as T;
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (error instanceof SyntaxError) throw new ApiError("The host's answer can't be read.", 0);
      throw new ApiError(UNREACHABLE, 0);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a form with progress, which `fetch` has none of. Rejects with an `AbortError` when given up. */
  upload<T>(path: string, form: FormData, { progress, signal }: UploadOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const request = new XMLHttpRequest();
      const fail = (message: string, status: number) => reject(new ApiError(message, status));
      request.open("POST", this.url(path));
      request.upload.onprogress = (event) => {
        if (event.lengthComputable) progress(event.loaded / event.total);
      };
      request.onerror = () => fail("The connection broke during the upload.", 0);
      request.onabort = () => reject(new DOMException("given up", "AbortError"));
      request.onload = () => {
        if (request.status >= 400) fail(errorText(request.status, request.responseText), request.status);
        else resolve(JSON.parse(request.responseText) as T);
      };
      signal.addEventListener("abort", () => request.abort(), { once: true });
      request.send(form);
    });
  }
}

/** The sentence to show for an answer: the host's own, else what the status means. */
export function errorText(status: number, body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    if (typeof error === "string" && error !== "") return error;
  } catch {
    // Not JSON: a proxy in between answered. Its page says nothing to the reader.
  }
  return STATUS_TEXTS[status] ?? `The host could not do that (status ${status}).`;
}
