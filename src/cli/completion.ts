import type { CommandAbout, CommandListing } from './command-listing.ts'
import { GLOBAL_OPTIONS } from './global-options.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What can follow one command. */
type Completed = {
  name: string
  summary: string
  choices: string[]
  options: { name: string; summary: string }[]
}

/** The completion script of a shell, made from the same definitions as the help. */
export async function completionScript(shell: Shell, entries: readonly CommandListing[]): Promise<string> {
  const commands = await Promise.all(
    entries.map(async ({ name, summary, load }) => completed(name, summary, (await load()).command)),
  )
  switch (shell) {
    case 'bash':
      return bashScript(commands)
    case 'zsh':
      return zshScript(commands)
    case 'fish':
      return fishScript(commands)
  }
}

function completed(name: string, summary: string, command: CommandAbout): Completed {
  const options = [...command.options, ...GLOBAL_OPTIONS].map(({ flags, summary: text }) => ({
    name: longName(flags),
    summary: text,
  }))
  return { name, summary, choices: command.arguments.flatMap(({ choices }) => choices ?? []), options }
}

/** `-n, --lines <count>` -> `--lines`. */
const longName = (flags: string): string => /--[a-z-]+/.exec(flags)?.[0] ?? flags

const bashScript = (
  commands: readonly Completed[],
): string => `# sluice completion for bash: source <(sluice completion bash)
_sluice() {
  local current=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(' ')} --help --version"
  else
    case $command in
${commands.map(({ name, choices, options }) => `      ${name}) words="${[...choices, ...options.map((option) => option.name)].join(' ')}" ;;`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _sluice sluice
`

const zshScript = (commands: readonly Completed[]): string => `#compdef sluice
# sluice completion for zsh: source <(sluice completion zsh)
_sluice() {
  local -a sluice_commands
  if (( CURRENT == 2 )); then
    sluice_commands=(
${commands.map(({ name, summary }) => `      ${quoted(`${name}:${summary}`)}`).join('\n')}
    )
    _describe command sluice_commands
    return
  fi
  case $words[2] in
${commands.map(({ name, choices, options }) => `    ${name}) compadd -- ${[...choices, ...options.map((option) => option.name)].join(' ')} ;;`).join('\n')}
  esac
  _files
}
compdef _sluice sluice
`

const fishScript = (
  commands: readonly Completed[],
): string => `# sluice completion for fish: sluice completion fish | source
${commands
  .flatMap(({ name, summary, choices, options }) => [
    `complete -c sluice -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...choices.map((choice) => `complete -c sluice -n '__fish_seen_subcommand_from ${name}' -f -a ${choice}`),
    ...options.map(
      (option) =>
        `complete -c sluice -n '__fish_seen_subcommand_from ${name}' -l ${option.name.slice(2)} -d ${quoted(option.summary)}`,
    ),
  ])
  .join('\n')}
`

const quoted = (text: string): string => `'${text.replaceAll('`', '').replaceAll("'", "'\\''")}'`
