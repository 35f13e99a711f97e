import { homedir } from 'node:os'
import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import type { Finding } from '../../core/shared/finding.ts'
import { FindingsAnswer, ServicesAnswer } from '../answers.ts'
import { defineCommand } from '../command.ts'
import { type Connection, connect } from '../controller/connect.ts'
import { checkBackups } from '../doctor/backups.ts'
import { warning } from '../doctor/finding.ts'
import { checkClock, checkConfig, checkNode, checkSystemd } from '../doctor/installation.ts'
import { checkOrphans, checkParts, checkPorts } from '../doctor/processes.ts'
import { checkDisk, checkLeftovers, checkModes, newestWrite } from '../doctor/state-folder.ts'
import { checkStrayParts } from '../doctor/stray-parts.ts'
import type { Session } from '../session.ts'
import { type Line, quiet, span, strong } from '../text/line.ts'
import { plural } from '../text/number.ts'
import { ownVersion } from '../version.ts'

/** Problems found: the one exit code of doctor besides 0. */
const PROBLEMS_FOUND = 1

export const command = defineCommand({
  description:
    'Looks at everything that has to be right on this machine and says what is not, with the remedy. Changes nothing. Exit code 1 when there are problems.',
  arguments: [],
  options: [],
  examples: ['sluice doctor', 'sluice doctor --json'],
  input: z.object({}),
  async run(session) {
    const connection = connect(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const findings = await allFindings(session, connection.value)
    session.value('doctor', { findings })
    session.say([...findings.flatMap(findingLines), [], closing(findings)])
    return findings.some(({ level }) => level === 'problem') ? PROBLEMS_FOUND : EXIT_CODE.promoted
  },
})

async function allFindings(session: Session, { project, client }: Connection): Promise<Finding[]> {
  const { io } = session
  const config = checkConfig(project, session.environment)
  const alive = (await client.probe('/livez')) === 200
  const services = alive ? await client.call('list_services', {}, ServicesAnswer) : null
  const user = { asRoot: process.getuid?.() === 0, home: io.env.HOME ?? homedir() }
  return [
    checkNode(process.versions.node),
    config.finding,
    ...checkModes(project.state),
    ...(await checkParts(client, ownVersion())),
    ...checkStrayParts(project.state),
    ...checkLeftovers(project.state),
    ...checkOrphans(project.state, services?.kind === 'ok' ? services.value.services : null),
    checkDisk(project.folder),
    ...checkBackups(project.state, io.now()),
    ...checkPorts(config.loaded?.services ?? []),
    checkClock(io.now(), newestWrite(project.state)),
    checkSystemd(project, user),
    ...(alive ? await controllerFindings(client) : []),
  ]
}

/** What only the controller can see. */
async function controllerFindings(client: Connection['client']): Promise<Finding[]> {
  const answer = await client.call('diagnose', {}, FindingsAnswer)
  if (answer.kind === 'ok') return answer.value.findings
  return [
    warning(
      'DOCTOR_DIAGNOSE',
      `The controller could not look at itself: ${answer.problem.message}`,
      answer.problem.remedy,
    ),
  ]
}

const SIGN = {
  ok: span('✓ ', 'good'),
  warning: span('! ', 'attention'),
  problem: span('✗ ', 'bad'),
} as const

const findingLines = ({ level, message, remedy }: Finding): Line[] => [
  [SIGN[level], level === 'ok' ? span(message) : strong(message)],
  ...(remedy === null || level === 'ok' ? [] : [[quiet('  what to do: '), span(remedy)]]),
]

function closing(findings: readonly Finding[]): Line {
  const count = (level: Finding['level']): number =>
    findings.filter((finding) => finding.level === level).length
  const problems = count('problem')
  const warnings = count('warning')
  if (problems + warnings === 0)
    return [strong('Healthy.'), span(` ${plural(findings.length, 'thing')} looked at.`)]
  return [
    strong(`${plural(problems, 'problem')}, ${plural(warnings, 'warning')}`),
    span(` of ${plural(findings.length, 'thing')} looked at.`),
  ]
}
