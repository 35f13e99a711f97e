import type { Io } from './io.ts'
import { ownVersion } from './version.ts'

/** The CLI: `argv` without Node and script; gives the exit code. Loads only what the command needs. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    io.out(`${ownVersion()}\n`)
    return 0
  }
  if (argv.length === 0 || (argv.length === 1 && ['help', '--help', '-h'].includes(argv[0] ?? ''))) {
    const { generalHelp } = await import('./help.ts')
    io.out(generalHelp(ownVersion()))
    return argv.length === 0 ? 2 : 0
  }
  const { runCommand } = await import('./run-command.ts')
  return runCommand(argv, io)
}
