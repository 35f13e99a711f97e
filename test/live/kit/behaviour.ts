/** How a version of the test service behaves; nothing named means: well. */
export type Behaviour = {
  /** Its health path answers 503 for ever. */
  neverReady?: boolean
  /** Share (0 to 1) of requests answered with 500. */
  errorShare?: number
  /** Share (0 to 1) of requests that never get an answer. */
  hangShare?: number
  /** Share (0 to 1) of requests that are answered well and mean a payment that failed. */
  failedPayments?: number
  /** Where it counts payments for Prometheus. */
  metricsPort?: number
  /** Ends at once with this exit code. */
  exitsWith?: number
  /** Listens on this port, whatever it was told. */
  ownPort?: number
  /** Time between the start of the process and listening. */
  listensAfterMs?: number
  /** A line it prints when it starts. */
  says?: string
  /** Keeps one CPU busy from the moment it listens, though it answers well. */
  burnsCpu?: boolean
  /** Written for each request, with its number, though the request is answered well. */
  writes?: string[]
  /** Variables whose values it prints when it starts. */
  printsVariables?: string[]
  /** What `/marker` answers, so that one can tell which bytes run. */
  marker?: string
}
