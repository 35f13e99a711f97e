import type { Result } from '../core/shared/result.ts'
import type { StateKeeper } from '../operations/backup/keeper.ts'
import type { Checker } from '../operations/checker.ts'
import type { MetricTester } from '../operations/metrics/tester.ts'

/** Everything a command touches of the world around it, so that a test can bring its own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Working folder. */
  readonly cwd: string
  /** How to start this program again: Node and the script. */
  readonly program: readonly [execPath: string, script: string]
  now(): number
  out(text: string): void
  err(text: string): void
  /** All of standard input as text; `null` when it is longer than so many bytes. */
  input(maximumBytes: number): Promise<string | null>
  /** `null` when nobody can answer: standard input or output is not a terminal. */
  readonly terminal: Terminal | null
  /** Calls back on Ctrl-C and on a request to end (SIGTERM, SIGHUP); returns how to stop listening. */
  onInterrupt(callback: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void): () => void
  /** Resolves after `ms` or when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Copies of the state of a folder; it knows the stores, which no command does. */
  keeper(stateFolder: string): Promise<StateKeeper>
  /** Asks metrics; it knows the providers, which no command does. */
  metrics(place: { stateFolder: string; folder: string }): Promise<Result<MetricTester>>
  /** Makes the checks of the file from here. */
  checker(place: { stateFolder: string; folder: string }): Promise<Result<Checker>>
}

/** A terminal with a person before it. */
export interface Terminal {
  columns(): number
  rows(): number
  onResize(callback: () => void): () => void
  /** Keys as they are pressed, until the returned function is called. */
  onKeys(callback: (keys: string) => void): () => void
  /** One line typed by the person; `null` when input ended. */
  ask(question: string): Promise<string | null>
  /** Does this whatever way the program ends; returns how to take it back. */
  onExit(callback: () => void): () => void
}
