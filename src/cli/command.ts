import * as z from 'zod'
import { readWeight } from '../config/units.ts'
import { formatDuration, parseDuration } from '../core/shared/duration.ts'
import { problem } from '../core/shared/problem.ts'
import { MOST_PROXY_WORKERS, type ProxyWorkers, parseProxyWorkers } from '../core/shared/proxy-workers.ts'
import type { CommandAbout, CommandListing } from './command-listing.ts'
import type { Session } from './session.ts'

/** One command of the CLI: what the help says about it, and what it does with what was typed. */
export interface Command extends CommandAbout {
  /** Gives the exit code. `typed` holds arguments and options by name, as strings, numbers of nothing assumed. */
  run(session: Session, typed: unknown): Promise<number>
}

/** A command that can be run. */
export interface CommandEntry extends CommandListing {
  load(): Promise<{ command: Command }>
}

type Definition<Input extends z.ZodType> = Omit<Command, 'run'> & {
  input: Input
  run(session: Session, input: z.infer<Input>): Promise<number>
}

/** Keeps the input's schema and what reads it together. */
export function defineCommand<Input extends z.ZodType>({ input, run, ...about }: Definition<Input>): Command {
  return {
    ...about,
    run: async (session, typed) => {
      const parsed = input.safeParse(typed)
      if (parsed.success) return run(session, parsed.data)
      const [issue] = parsed.error.issues
      const where = issue?.path.join('.') ?? 'input'
      return session.fail(
        problem('USAGE', {
          message: `${where}: ${issue?.message ?? 'cannot be read'}`,
          remedy: 'Run the command with --help to see what it takes.',
        }),
      )
    },
  }
}

/** `10m`, `1h30m`; milliseconds. */
export const DurationArgument = z.string().transform((text, context): number => {
  const ms = parseDuration(text)
  if (ms !== null && ms > 0) return ms
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not a time: write it like ${formatDuration(90_000)} or 30m`,
  })
  return z.NEVER
})

/** `25%` or `0.5%`; per mille. */
export const WeightArgument = z.string().transform((text, context): number => {
  const reading = readWeight(text)
  if (reading.kind === 'ok') return reading.value
  context.addIssue({ code: 'custom', message: `"${text}" is not a share: write it like 25% or 0.5%` })
  return z.NEVER
})

/** `2026-11-23T09:00` by the clock of this machine, or with an offset: `2026-11-23T09:00+01:00`; ms since the epoch. */
export const MomentArgument = z.string().transform((text, context): number => {
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not a moment: write it like 2026-11-23T09:00, or with an offset like 2026-11-23T09:00+01:00`,
  })
  return z.NEVER
})

/** `auto` or a number. */
export const ProxyWorkersArgument = z.string().transform((text, context): ProxyWorkers => {
  const workers = parseProxyWorkers(text)
  if (workers !== null) return workers
  context.addIssue({
    code: 'custom',
    message: `"${text}" is neither auto nor a whole number from 1 to ${MOST_PROXY_WORKERS}`,
  })
  return z.NEVER
})

/** A whole number in a range. */
export const wholeNumber = (from: number, to: number) =>
  z.string().transform((text, context): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= from && value <= to) return value
    context.addIssue({ code: 'custom', message: `"${text}" is not a whole number from ${from} to ${to}` })
    return z.NEVER
  })
