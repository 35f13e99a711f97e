import * as z from 'zod'

const positive = z.int().positive()

/**
 * Every limit of the data plane, with a default that is safe in production and the reason for it.
 * `--limits '{"headersTimeoutMs":5000}'` changes single ones.
 */
export const Limits = z.strictObject({
  /** Request line and headers together. 16 KiB is what Node, and most servers behind us, accept at most. */
  headerBytes: positive.default(16 * 1024),
  /** More headers than this is an attack on somebody's parser; browsers send about 20. */
  headerCount: positive.default(100),
  /** No limit in practice (uploads are streamed), but not endless: one upload may not run for ever. */
  bodyBytes: positive.default(10 * 1024 ** 3),
  /** Stays under the usual limit of open files (2 sockets per connection) of a service started by systemd. */
  connections: positive.default(10_000),
  /** A client that needs longer for its headers is a slowloris. */
  headersTimeoutMs: positive.default(10_000),
  /** TLS: from the connection to the end of the handshake. Slower than that is no browser. */
  handshakeTimeoutMs: positive.default(10_000),
  /** A client that stops in the middle of its upload holds an instance; a minute survives a bad mobile link. */
  uploadIdleMs: positive.default(60_000),
  /** Browsers keep connections about a minute; longer than that of usual load balancers in front (60 s). */
  keepAliveMs: positive.default(75_000),
  /** The instance is on this host or next door: what does not connect in a second will not. */
  connectTimeoutMs: positive.default(1_000),
  /** An instance that has not begun to answer after a minute is counted as timed out. */
  responseHeadersTimeoutMs: positive.default(60_000),
  /** Silence inside an answer. Upgrades and event streams are quiet by nature and exempt. */
  responseIdleMs: positive.default(300_000),
  /** Origins that ignore `Expect` would wait for ever: after this we invite the body ourselves. */
  expectWaitMs: positive.default(1_000),
  /** Requests that are copied to a shadow at a time. With the bytes below it bounds what a hung shadow holds: 100 times 3 times 128 KiB. */
  shadowCopies: positive.default(100),
  /** A larger body of a request is not copied; a larger JSON answer is not compared by its values. */
  shadowBodyBytes: positive.default(128 * 1024),
  /** A larger answer is not compared at all: reading it twice would cost more than it tells. */
  shadowAnswerBytes: positive.default(4 * 1024 * 1024),
  /** A shadow that has not answered by then has failed, where the user was answered; its place is needed. */
  shadowTimeoutMs: positive.default(10_000),
  /** On shutdown idle client connections live this long, so that requests already on the wire are answered. */
  idleGraceMs: positive.default(2_000),
  /** A program that takes over has to load and say so within this; on a busy machine that is seconds. */
  heirStartMs: positive.default(20_000),
  /** From there on nobody can change routes: reading the table and opening nothing new is a matter of milliseconds. */
  heirReadyMs: positive.default(10_000),
})
export type Limits = z.infer<typeof Limits>

/** How often time-outs are looked at: their precision. One timer for all requests instead of one each. */
export const SWEEP_MS = 250
/** What is left of an upload whose answer is already out may drain this long before the connection is closed. */
export const LINGER_MS = 2_000
/** After a close frame both sides have this long to say good-bye. */
export const CLOSE_GRACE_MS = 1_000
/** Finished drains are reported this long, so that a controller that was away can read them. */
export const DRAIN_REPORT_MS = 600_000
/** Finished drains that are remembered at once; the oldest go first. */
export const DRAIN_REPORTS = 1_000
/** Entries in the cut list of one drain; the rest is only counted. */
export const CUT_LIST = 100
/** A table of 1,000 instances is about 100 KiB. */
export const CONTROL_BODY_BYTES = 4 * 1024 * 1024
/** Every request on the control socket must be complete by then. */
export const CONTROL_TIMEOUT_MS = 10_000
/** A listener that could not be restored at start is tried again this often. */
export const LISTEN_RETRY_MS = 500
/** Releases with counters per service that are handed from process to process, besides those in use. */
export const COUNTED_RELEASES = 32
/** For a process that takes over and waits for the one that serves: it has limits of its own, this is for one that hangs. */
export const ELDER_WAIT_MS = 30_000
/** Numbers of a process that was replaced are this old at most. */
export const REPORT_EVERY_MS = 200
/** A change of routes waits so long for the process that was replaced; less than the patience of the controller (2 s). */
export const FOLLOW_LIMIT_MS = 1_000
/** A process that was replaced and says nothing for so long hangs. */
export const HUNG_ELDER_MS = 10_000
/** A signal that reaches a process so soon after it was replaced was meant for the one that serves. */
export const MEANT_FOR_HEIR_MS = 5_000
/** Processes that were replaced and are not gone yet: each is memory, and a change of routes waits for all of them. */
export const ELDERS = 4
/** A worker has to load and say so within this; on a busy machine that is seconds. */
export const WORKER_START_MS = 20_000
/** A worker that says nothing for so long hangs: users who came to it wait, and so does every change of routes. */
export const HUNG_WORKER_MS = 5_000
/** A worker that died is replaced at once; one that dies again and again after a pause that doubles, up to the second number. */
export const WORKER_PAUSE_MS = [250, 30_000] as const
/** A worker that lived for so long did not fail at its start. */
export const WORKER_SOUND_MS = 30_000
/** A request to a service with limits waits so long for the process that leads: its answer is a matter of microseconds. */
export const GATE_LIMIT_MS = 1_000
/** Workers of a process that died let go of their doors at once; one that has not done so by then hangs, and is ended. */
export const ORPHAN_LIMIT_MS = 1_000
