import type { Problem } from '../core/shared/problem.ts'
import type { CommandListing } from './command-listing.ts'
import { exitCodeOf } from './exit-code.ts'
import type { Io } from './io.ts'
import { type Line, paintLine } from './text/line.ts'
import { problemLines } from './text/problem.ts'

/** Options every command takes. */
export interface Globals {
  readonly config: string | null
  readonly environment: string | null
  readonly service: string | null
  readonly json: boolean
  readonly quiet: boolean
  readonly color: boolean
}

/** Version of the shapes `--json` prints. */
export const OUTPUT_SCHEMA_VERSION = 1

/** One run of one command: the world, the global options and how to say things. */
export interface Session extends Globals {
  readonly io: Io
  /** Every command there is. */
  readonly catalogue: readonly CommandListing[]
  /** The result, to standard output. With `--json` nothing: there `value` speaks. */
  say(lines: readonly Line[]): void
  /** One JSON document on a line of its own; nothing without `--json`. */
  value(type: string, content: Readonly<Record<string, unknown>>): void
  /** Chatter to standard error: what is going on, hints. Not with `--quiet`. */
  note(text: string): void
  /** Shows what went wrong and gives the exit code for it. */
  fail(problems: Problem | readonly Problem[], code?: number): number
}

export function createSession(io: Io, globals: Globals, catalogue: readonly CommandListing[]): Session {
  const session: Session = {
    ...globals,
    io,
    catalogue,
    say: (lines) => {
      if (!globals.json) io.out(lines.map((line) => `${paintLine(line, globals.color)}\n`).join(''))
    },
    value: (type, content) => {
      if (globals.json)
        io.out(`${JSON.stringify({ schemaVersion: OUTPUT_SCHEMA_VERSION, type, ...content })}\n`)
    },
    note: (text) => {
      if (!globals.quiet) io.err(`${text}\n`)
    },
    fail: (problems, code) => {
      const all = 'code' in problems ? [problems] : problems
      const [first] = all
      if (first === undefined) throw new Error('there is no failure without a problem')
      session.value('problem', { problem: first, ...(all.length > 1 ? { problems: all } : {}) })
      if (!globals.json)
        io.err(
          problemLines(all)
            .map((line) => `${paintLine(line, globals.color)}\n`)
            .join(''),
        )
      return code ?? exitCodeOf(first)
    },
  }
  return session
}

/** What every operation takes to name its service. */
export const addressOf = ({ service, environment }: Globals): { service?: string; environment?: string } => ({
  ...(service === null ? {} : { service }),
  ...(environment === null ? {} : { environment }),
})

/** For operations on a whole environment. */
export const environmentInput = ({ environment }: Globals): { environment?: string } =>
  environment === null ? {} : { environment }

/** Puts the same options into a command to copy: `sluice watch --env staging`. */
export function commandLine(command: string, { config, service, environment }: Globals): string {
  const option = (name: string, value: string | null): string => (value === null ? '' : ` --${name} ${value}`)
  return `sluice ${command}${option('config', config)}${option('service', service)}${option('env', environment)}`
}

/** Width of the terminal; without one lines are as long as they need to be. */
export const columnsOf = ({ io }: Session): number => io.terminal?.columns() ?? Number.POSITIVE_INFINITY
