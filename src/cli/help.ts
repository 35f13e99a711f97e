import { COMMANDS } from './command-list.ts'
import { type CommandAbout, type CommandListing, GROUPS } from './command-listing.ts'
import { GLOBAL_OPTIONS } from './global-options.ts'

const COLUMN = 26

/** `sluice --help`. */
export function generalHelp(version: string): string {
  const groups = GROUPS.map((group) => {
    const lines = COMMANDS.filter((command) => command.group === group).map(({ name, summary }) =>
      row(name, summary),
    )
    return `${group}\n${lines.join('\n')}`
  })
  return `Sluice ${version}: takes each new version of a service safely into production and back out again.

Usage: sluice <command> [options]

${groups.join('\n\n')}

Options for every command
${GLOBAL_OPTIONS.map(({ flags, summary }) => row(flags, summary)).join('\n')}
${row('-V, --version', 'version of Sluice')}

Begin with:  sluice init  then  sluice deploy <version>
More:        sluice <command> --help
`
}

/** `sluice deploy --help`. */
export function commandHelp({ name, summary }: CommandListing, command: CommandAbout): string {
  const usage = command.arguments.map((argument) =>
    argument.required ? `<${argument.name}>` : `[${argument.name}]`,
  )
  const sections = [
    `sluice ${name}: ${summary}\n\n${command.description}`,
    `Usage: ${['sluice', name, ...usage, '[options]'].join(' ')}`,
    section(
      'Arguments',
      command.arguments.map(({ name: title, summary: text, choices }) =>
        row(title, choices ? `${text}: ${choices.join(', ')}` : text),
      ),
    ),
    section(
      'Options',
      command.options.map(({ flags, summary: text }) => row(flags, text)),
    ),
    section(
      'Options for every command',
      GLOBAL_OPTIONS.map(({ flags, summary: text }) => row(flags, text)),
    ),
    section(
      command.examples.length > 1 ? 'Examples' : 'Example',
      command.examples.map((example) => `  ${example}`),
    ),
  ]
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`
}

const row = (name: string, text: string): string => `  ${name.padEnd(COLUMN)}${text}`
const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `${title}\n${lines.join('\n')}`
