import { Argument, CommanderError, Command as Parser } from 'commander'
import { closest, distance } from 'fastest-levenshtein'
import { type Problem, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './command-list.ts'
import { GLOBAL_OPTIONS, GLOBAL_VALUE_OPTIONS } from './global-options.ts'

/** A word further away than this is no typing mistake. */
const NEAR_EDITS = 3

/** The command's name and the rest, wherever global options stand: `--env staging deploy 1.4.0`. */
export function splitCommand(argv: readonly string[]): { name: string | null; rest: string[] } {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (word === '--') break
    if (GLOBAL_VALUE_OPTIONS.includes(word)) index += 1
    else if (!word.startsWith('-')) return { name: word, rest: argv.toSpliced(index, 1) }
  }
  return { name: null, rest: [...argv] }
}

/** Arguments and options by name: `{ version: '1.4.0', yes: true, env: 'staging' }`. */
export function parseArguments(
  name: string,
  command: Command,
  argv: readonly string[],
): Result<Record<string, unknown>> {
  const parser = parserOf(name, command)
  try {
    parser.parse([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return failed(usageProblem(name, error))
    throw error
  }
  const given = parser.processedArgs.map((value: unknown, index): [string, unknown] => [
    camel(command.arguments[index]?.name ?? ''),
    value,
  ])
  return ok({ ...parser.opts(), ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) })
}

function parserOf(name: string, command: Command): Parser {
  const parser = new Parser(name)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .helpOption(false)
  for (const { flags, summary } of [...command.options, ...GLOBAL_OPTIONS]) parser.option(flags, summary)
  for (const { name: title, summary, required, choices } of command.arguments) {
    const argument = new Argument(required ? `<${title}>` : `[${title}]`, summary)
    parser.addArgument(choices === undefined ? argument : argument.choices([...choices]))
  }
  return parser
}

/** Commander says it well; its `error:` and the suggestion in brackets become message and remedy. */
function usageProblem(name: string, { message }: CommanderError): Problem {
  const [what = message, suggestion] = message.replace(/^error: /, '').split('\n(')
  const near = /Did you mean (.+)\?\)/.exec(suggestion ?? '')?.[1]
  const help = `\`sluice ${name} --help\` shows what it takes.`
  return problem('USAGE', {
    message: what.replaceAll("'", '"'),
    remedy: near === undefined ? help : `Did you mean ${near}? ${help}`,
  })
}

/** No such command: the nearest one is the remedy. */
export function unknownCommand(name: string): Problem {
  const near = closest(
    name,
    COMMANDS.map((command) => command.name),
  )
  const help = '`sluice --help` lists the commands.'
  return problem('USAGE', {
    message: `There is no command "${name}".`,
    remedy: distance(name, near) <= NEAR_EDITS ? `Did you mean \`sluice ${near}\`? ${help}` : help,
  })
}

const camel = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
