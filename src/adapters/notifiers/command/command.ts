import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { NotificationMessage, Notifier, NotifyFailure } from '../../../ports/notifier.ts'
import { type Ending, inheritedFrom, runProgram } from '../../tools/run-program.ts'

const TIMEOUT_MS = 10_000

export type CommandOptions = {
  /** Program and arguments. No shell is involved, so nothing in a message can become a command. */
  command: readonly string[]
  /** Where `PATH` and the like are taken from. */
  env?: Readonly<Record<string, string | undefined>>
  timeoutMs?: number
}

/**
 * Runs a program for each message: JSON on stdin, `SLUICE_EVENT` and `SLUICE_KEY` in the environment, exit code 0 is success.
 *
 * @example createCommandNotifier({ command: ['./notify.sh', '--loud'] })
 */
export function createCommandNotifier({
  command,
  env = process.env,
  timeoutMs = TIMEOUT_MS,
}: CommandOptions): Result<Notifier> {
  const [program, ...args] = command
  if (program === undefined || program === '') return failed(empty())
  const send = async (message: NotificationMessage, key: string): Promise<Result<void, NotifyFailure>> => {
    const variables = { ...inheritedFrom(env), SLUICE_EVENT: message.type, SLUICE_KEY: key }
    const input = `${JSON.stringify({ key, ...message })}\n`
    const ending = await runProgram({ program, args, env: variables, input, timeoutMs })
    return resultOf(program, ending, timeoutMs)
  }
  return ok({ kind: 'command', send })
}

function resultOf(program: string, ending: Ending, timeoutMs: number): Result<void, NotifyFailure> {
  switch (ending.kind) {
    case 'exited':
      return ending.code === 0
        ? ok(undefined)
        : failed(unsuccessful(program, `ended with code ${ending.code}`, ending.said))
    case 'signalled':
      return failed(unsuccessful(program, `was ended by ${ending.signal}`, ending.said))
    case 'timed-out':
      return failed(timedOut(program, timeoutMs, ending.said))
    case 'not-started':
      return failed(notStarted(program, ending.error))
    case 'cancelled':
    case 'too-large':
      throw new Error(`a notification command was ended as ${ending.kind}, which nobody asked for`)
  }
}

function empty() {
  return problem('NOTIFY_COMMAND_INVALID', {
    message: 'The notification command is empty.',
    remedy: 'Give the program and its arguments as a list, such as ["./notify.sh", "--loud"].',
  })
}

function unsuccessful(program: string, what: string, output: string): NotifyFailure {
  return problem('NOTIFY_COMMAND_FAILED', {
    message: `The notification command ${program} ${what}.`,
    cause: output,
    remedy: 'Run the command by hand with the message on its standard input. Sluice tries again.',
    retryable: true,
  })
}

function timedOut(program: string, timeoutMs: number, output: string): NotifyFailure {
  return problem('NOTIFY_TIMEOUT', {
    message: `The notification command ${program} did not end within ${timeoutMs / 1000} s and was killed.`,
    cause: output,
    remedy: 'Make the command quicker, or let it start its work in the background. Sluice tries again.',
    retryable: true,
  })
}

function notStarted(program: string, error: string): NotifyFailure {
  return problem('NOTIFY_COMMAND_NOT_STARTED', {
    message: `The notification command ${program} could not be started: ${error}.`,
    remedy: 'Check that the program exists, may be executed, and is in PATH. Sluice tries again.',
    retryable: true,
  })
}
