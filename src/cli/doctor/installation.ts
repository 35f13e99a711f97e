import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type LoadedConfig, loadConfig } from '../../config/load.ts'
import type { Finding } from '../../core/shared/finding.ts'
import type { Project } from '../controller/project.ts'
import { unitName, unitPath } from '../systemd-unit.ts'
import { plural } from '../text/number.ts'
import { fine, warning, wrong } from './finding.ts'

const COMMAND_TIMEOUT_MS = 3000

/** Node itself: below the floor the program does not even start, so this mostly tells the version. */
export const checkNode = (version: string): Finding =>
  fine('DOCTOR_NODE', `Node ${version} is new enough (22.19 or newer).`)

/** The file in the environment in question; the settings go to the checks that need them. */
export function checkConfig(
  project: Project,
  environment: string | null,
): { finding: Finding; loaded: LoadedConfig | null } {
  const loaded = loadConfig({ file: project.shownConfig, ...(environment === null ? {} : { environment }) })
  if (loaded.kind === 'ok')
    return { finding: fine('DOCTOR_CONFIG', `${project.shownConfig} is valid.`), loaded: loaded.value }
  const [first] = loaded.problem
  const message = `${project.shownConfig} has ${plural(loaded.problem.length, 'mistake')}. ${first?.message ?? ''}`
  return {
    finding: wrong('DOCTOR_CONFIG', message, `${first?.remedy ?? ''} \`sluice validate\` shows all of them.`),
    loaded: null,
  }
}

/** The systemd unit, when one was installed. */
export function checkSystemd(project: Project, { asRoot, home }: { asRoot: boolean; home: string }): Finding {
  const file = unitPath({ project, asRoot, home })
  const name = unitName(project)
  if (!existsSync(file))
    return fine(
      'DOCTOR_SYSTEMD',
      'No systemd unit is installed; `sluice service install` makes the controller start with the machine.',
    )
  const scope = asRoot ? [] : ['--user']
  const enabled = ask('systemctl', [...scope, 'is-enabled', name])
  const active = ask('systemctl', [...scope, 'is-active', name])
  if (enabled === 'enabled' && active === 'active')
    return fine('DOCTOR_SYSTEMD', `${name} is enabled and active.`)
  const remedy = `Run \`systemctl ${[...scope, 'status', name].join(' ')}\` to see why, or \`sluice service install\` again.`
  return warning('DOCTOR_SYSTEMD', `${name} is ${enabled ?? 'unknown'} and ${active ?? 'unknown'}.`, remedy)
}

/** The clock: decisions and the journal stand on it. */
export function checkClock(now: number, newestWrite: { file: string; at: number } | null): Finding {
  const ahead = newestWrite === null ? 0 : newestWrite.at - now
  if (newestWrite !== null && ahead > CLOCK_SLACK_MS)
    return wrong(
      'DOCTOR_CLOCK',
      `${newestWrite.file} was written ${Math.round(ahead / 1000)} s in the future: the clock was set back.`,
      'Set the clock right and keep it so with a time service (chrony, systemd-timesyncd).',
    )
  const synchronised = ask('timedatectl', ['show', '--property=NTPSynchronized', '--value'])
  if (synchronised === 'no')
    return warning(
      'DOCTOR_CLOCK',
      'The clock is not synchronised with a time service.',
      'Start one: `timedatectl set-ntp true`.',
    )
  return fine(
    'DOCTOR_CLOCK',
    `The clock says ${new Date(now).toISOString()}${synchronised === 'yes' ? ' and is synchronised' : ''}.`,
  )
}

/** Writing and looking do not happen in the same instant. */
const CLOCK_SLACK_MS = 2000

/** First line of what a command says; `null` when it is missing. `systemctl is-active` speaks with a code other than 0. */
function ask(program: string, words: readonly string[]): string | null {
  try {
    return firstLine(
      execFileSync(program, words, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: COMMAND_TIMEOUT_MS,
      }),
    )
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? firstLine(String(error.stdout)) : null
  }
}

const firstLine = (text: string): string | null => text.trim().split('\n')[0] || null
