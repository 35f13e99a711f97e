import { formatDuration } from '../../../core/shared/duration.ts'
import { plainText, redactor } from '../../../core/shared/redact.ts'
import type { VerifyCheck } from '../../../core/shared/verification.ts'
import type { VerifyRequest } from '../../../ports/verifier.ts'
import { type Ending, inheritedFrom, runProgram } from '../../tools/run-program.ts'
import type { Finding, HostVerifierOptions } from './host.ts'

type CommandCheck = Extract<VerifyCheck, { kind: 'command' }>

/** Of what the program said last. */
const SHOWN_LINES = 5

/** A program that ends with 0 has passed. It learns from variables what it verifies and where. */
export async function runCheckCommand(
  { secretOf, cwd, env = process.env }: HostVerifierOptions,
  { request, check }: { request: VerifyRequest; check: CommandCheck },
  signal: AbortSignal,
): Promise<Finding> {
  const secrets = check.secrets.map((name) => [name, secretOf(name)] as const)
  const missing = secrets.find(([, value]) => value === null)
  if (missing !== undefined)
    return failing(`the secret ${missing[0]} is not set where the controller runs, so it was not started`)
  const found = secrets.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  const hide = redactor(found.map(([, value]) => value))
  const [program = '', ...args] = check.command
  const variables = { ...inheritedFrom(env), ...variablesOf(request), ...Object.fromEntries(found) }
  const ending = await runProgram({ program, args, env: variables, cwd, timeoutMs: check.timeoutMs }, signal)
  return findingOf(ending, { program, check, hide })
}

const variablesOf = ({
  url,
  way,
  moment,
  service,
  environment,
  version,
  release,
  probeKey,
}: VerifyRequest) => ({
  ...(probeKey === null ? {} : { SLUICE_PROBE: probeKey }),
  SLUICE_URL: url,
  // For programs that would ask a name server: `curl --connect-to ::$SLUICE_CONNECT: $SLUICE_URL`.
  ...(way === undefined ? {} : { SLUICE_CONNECT: way.connect }),
  SLUICE_MOMENT: moment,
  SLUICE_SERVICE: service,
  SLUICE_ENVIRONMENT: environment,
  SLUICE_VERSION: version,
  SLUICE_RELEASE: release,
})

const failing = (text: string): Finding => ({ passed: false, text })

type Told = { program: string; check: CommandCheck; hide: (text: string) => string }

function findingOf(ending: Ending, { program, check, hide }: Told): Finding {
  const said = (text: string): string => {
    const lines = hide(text).split('\n').slice(-SHOWN_LINES).map(plainText).join(' | ')
    return lines === '' ? '' : `: ${lines}`
  }
  switch (ending.kind) {
    case 'exited':
      return ending.code === 0
        ? { passed: true, text: `${program} ended with code 0` }
        : failing(`${program} ended with code ${ending.code}${said(ending.said)}`)
    case 'signalled':
      return failing(`${program} was ended by ${ending.signal}${said(ending.said)}`)
    case 'timed-out':
      return failing(
        `${program} did not end within ${formatDuration(check.timeoutMs)} and was killed${said(ending.said)}`,
      )
    case 'not-started':
      return failing(`${program} could not be started: ${ending.error}`)
    case 'cancelled':
      return failing(`${program} was given up, because nobody waits for it any more`)
    case 'too-large':
      throw new Error('a check has no limit of its output')
  }
}
