import { EXIT_CODE } from '../core/rollout/outcome.ts'
import { problem } from '../core/shared/problem.ts'
import { parseArguments, splitCommand, unknownCommand } from './arguments.ts'
import { COMMANDS } from './command-list.ts'
import { commandHelp, generalHelp } from './help.ts'
import type { Io } from './io.ts'
import { createSession, type Globals, type Session } from './session.ts'
import { ownVersion } from './version.ts'

/** Finds the command, reads what was typed, runs it. A bug ends as an internal error that says so, never as a bare stack. */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  const { name, rest } = namedCommand(argv)
  if (name === null && rest.some((word) => word === '--version' || word === '-V')) {
    io.out(`${ownVersion()}\n`)
    return EXIT_CODE.promoted
  }
  if (name === null && asksForHelp(rest)) {
    io.out(generalHelp(ownVersion()))
    return EXIT_CODE.promoted
  }
  const fallback = createSession(
    io,
    globalsOf({ json: rest.includes('--json'), color: !rest.includes('--no-color') }, io),
    COMMANDS,
  )
  if (name === null)
    return fallback.fail(
      problem('USAGE', { message: 'No command was given.', remedy: '`sluice --help` lists the commands.' }),
    )
  const entry = COMMANDS.find((command) => command.name === name)
  if (entry === undefined) return fallback.fail(unknownCommand(name))
  const { command } = await entry.load()
  if (asksForHelp(rest)) {
    io.out(commandHelp(entry, command))
    return 0
  }
  const typed = parseArguments(name, command, rest)
  if (typed.kind === 'failed') return fallback.fail(typed.problem)
  const session = createSession(io, globalsOf(typed.value, io), COMMANDS)
  return command.run(session, typed.value).catch((error: unknown) => reportBug(session, error))
}

const asksForHelp = (words: readonly string[]): boolean => words.includes('--help') || words.includes('-h')

/** `sluice help deploy` is `sluice deploy --help`. */
function namedCommand(argv: readonly string[]): { name: string | null; rest: string[] } {
  const { name, rest } = splitCommand(argv)
  if (name !== 'help') return { name, rest }
  const about = splitCommand(rest)
  return { name: about.name, rest: [...about.rest, '--help'] }
}

function globalsOf(typed: Readonly<Record<string, unknown>>, io: Io): Globals {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  return {
    config: text(typed.config),
    environment: text(typed.env),
    service: text(typed.service),
    json: typed.json === true,
    quiet: typed.quiet === true,
    color: typed.color !== false && colorWanted(io),
  }
}

const colorWanted = ({ env, terminal }: Io): boolean =>
  terminal !== null && !env.NO_COLOR && env.TERM !== 'dumb'

function reportBug(session: Session, error: unknown): number {
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? error.stack : undefined
  return session.fail(
    problem('INTERNAL', {
      message: `Something went wrong inside Sluice: ${message}`,
      ...(stack === undefined ? {} : { cause: stack }),
      remedy: 'This is a bug. Please report it with the lines above. Traffic is not affected by it.',
    }),
  )
}
