// Answers other than the one asked for.

export const INTERNAL_MESSAGE = "Something went wrong here. Quote the trace id.";

/** Thrown where a request cannot be answered as asked: status, code and a sentence for the caller. */
export class Problem extends Error {
  constructor(status, code, message, details) {
    super(message);
    Object.assign(this, { status, code, details });
  }
}

export const invalid = (message) => new Problem(400, "invalid_request", message);
export const internal = () => new Problem(500, "internal_error", INTERNAL_MESSAGE);
export const notFound = () => new Problem(404, "not_found", "There is nothing at this path.");

/** An error of express or of its body parser as a Problem; undefined when it is a fault of ours. */
export function problemOf(error) {
  if (error instanceof Problem) return error;
  const status = error?.status ?? error?.statusCode;
  if (!(status >= 400 && status < 500)) return undefined;
  if (status === 413) return new Problem(413, "body_too_large", "The body must not be longer than 16 KiB.");
  if (status === 415) return new Problem(415, "unsupported_media_type", "The body must be plain JSON, not compressed.");
  return invalid(error instanceof URIError ? "The path is not valid." : "The request is not valid.");
}

/** The JSON body that tells the caller about a problem. `ids` are trace_id, when there is one, and request_id. */
export function problemBody(problem, ids) {
  const { code, message, details } = problem;
  return { error: { code, message, ...ids, ...(details && { details }) } };
}
